/** One's own account: password and tokens. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { NewToken, Token } from '../../../api/access/schemas.ts';
import { queryClient, send, useApi, useMe } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { Empty, Loaded, Notice, Page, Panel, Trouble } from '../../components/page.tsx';
import { DataTable } from '../../components/table.tsx';
import { moment } from '../../format.ts';

/** How long a token can be made for: days, and none for ever. */
const lifetimes = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '365 days'],
  ['', 'never'],
] as const;

export default function Account() {
  const me = useMe().data;
  if (me && !me.needsSignIn) {
    return (
      <Page title="Account">
        <Empty title="There are no accounts here">
          Whoever sits at this machine may do everything. Before others reach these pages, make the first
          account: <code>hiphop accounts add NAME --role operator</code>. From then on everybody signs in.
        </Empty>
      </Page>
    );
  }
  return (
    <Page title={me?.name ?? 'Account'} lead={me?.role}>
      <Tokens />
      <Password />
    </Page>
  );
}

function Tokens() {
  const tokens = useApi<Token[]>('/me/tokens');
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [made, setMade] = useState<NewToken | null>(null);
  return (
    <Panel title="Tokens, for programs">
      <p>
        A program sends <code>Authorization: Bearer …</code> and may do what you may.
      </p>
      {made && (
        <Notice kind="good">
          The token {made.name}, shown this once: <code>{made.token}</code>
        </Notice>
      )}
      <Loaded query={tokens}>
        {(list) =>
          list.length === 0 ? (
            <p>You have none.</p>
          ) : (
            <DataTable
              caption="Tokens"
              rows={list}
              rowId={({ id }) => String(id)}
              columns={[
                { id: 'name', header: 'Name', cell: (row) => row.name },
                { id: 'made', header: 'Made', cell: ({ createdAt }) => moment(createdAt) },
                {
                  id: 'expires',
                  header: 'Expires',
                  cell: ({ expiresAt }) => (expiresAt ? moment(expiresAt) : 'never'),
                },
                {
                  id: 'used',
                  header: 'Last used',
                  cell: ({ lastUsedAt }) => (lastUsedAt ? moment(lastUsedAt) : 'never'),
                },
                {
                  id: 'change',
                  header: 'Change',
                  cell: (row) => (
                    <Action
                      label="Revoke"
                      name={`Revoke ${row.name}`}
                      confirm={{
                        title: `Revoke ${row.name}?`,
                        text: 'Programs that send it are refused at once.',
                        yes: 'Revoke it',
                      }}
                      run={() => send('DELETE', `/me/tokens/${row.id}`)}
                      refreshes={['/me/tokens']}
                    />
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      <div className="filters">
        <TextField
          label="Name of a new token"
          value={name}
          onChange={setName}
          placeholder="e.g. prometheus"
        />
        <SelectField label="Expires in" value={days} onChange={setDays} options={lifetimes} />
        <Action
          label="Make a token"
          disabled={name.trim() === ''}
          run={() =>
            send<NewToken>('POST', '/me/tokens', {
              name: name.trim(),
              expiresInDays: days === '' ? null : Number(days),
            })
          }
          refreshes={['/me/tokens']}
          onDone={(token) => {
            setMade(token);
            setName('');
          }}
        />
      </div>
    </Panel>
  );
}

function Password() {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () => send('POST', '/me/password', { currentPassword: current, password: next }),
    onSuccess: async () => {
      setCurrent('');
      setNext('');
      // The session is another one by now, and its tokens are gone.
      await queryClient.invalidateQueries({
        predicate: ({ queryKey: [first] }) => first === 'me' || first === '/me/tokens',
      });
    },
  });
  return (
    <Panel title="Password">
      {change.isSuccess && (
        <Notice kind="good">Your password is changed; your other sessions and tokens have ended.</Notice>
      )}
      {change.error && <Trouble error={change.error} />}
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <TextField
          label="Current password"
          type="password"
          value={current}
          onChange={setCurrent}
          autoComplete="current-password"
          required
        />
        <TextField
          label="New password"
          type="password"
          value={next}
          onChange={setNext}
          autoComplete="new-password"
          required
        />
        <button type="submit" disabled={change.isPending}>
          {change.isPending ? 'Changing …' : 'Change it'}
        </button>
      </form>
    </Panel>
  );
}
