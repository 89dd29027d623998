/** Signing in, where there are accounts. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Navigate, useLocation } from 'react-router';
import type { Me } from '../../../api/access/schemas.ts';
import { queryClient, send, useMe } from '../../api.ts';
import { TextField } from '../../components/field.tsx';
import { Notice, Page, Trouble } from '../../components/page.tsx';
import { homeOf } from '../../roles.ts';

export default function SignIn() {
  const me = useMe();
  const { state } = useLocation();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useMutation({
    mutationFn: () => send<Me>('POST', '/sign-in', { name, password }),
    onSuccess: (signedIn) => queryClient.setQueryData(['me'], signedIn),
  });
  // Back to where somebody was asked to sign in.
  const from = (state as { from?: string } | null)?.from;
  if (me.data?.name) return <Navigate to={from ?? homeOf(me.data.role)} replace />;
  return (
    <Page title="Sign in">
      {me.data && !me.data.needsSignIn && (
        <Notice>There are no accounts here: nobody needs to sign in.</Notice>
      )}
      <form
        className="narrow"
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate();
        }}
      >
        <div className="fields">
          <TextField label="Name" value={name} onChange={setName} autoComplete="username" required />
          <TextField
            label="Password"
            type="password"
            value={password}
            onChange={setPassword}
            autoComplete="current-password"
            required
          />
          {signIn.error && <Trouble error={signIn.error} />}
          <div>
            <button type="submit" className="primary" disabled={signIn.isPending}>
              {signIn.isPending ? 'Signing in …' : 'Sign in'}
            </button>
          </div>
          <p>
            <small>
              An operator makes accounts: <code>hiphop accounts add NAME --role artist</code>. A lost password
              is set anew the same way.
            </small>
          </p>
        </div>
      </form>
    </Page>
  );
}
