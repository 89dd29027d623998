/** Choosing the champion by hand, with a reason that is kept. */
import { useState } from 'react';
import { send } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { Field } from '../../components/field.tsx';

export function Rollback() {
  return (
    <WithReason
      label="Roll back"
      path="/champion/rollback"
      title="Make the champion before champion again?"
      yes="Roll back"
    />
  );
}

export function WithReason(props: { label: string; path: string; title: string; yes: string }) {
  const { label, path, title, yes } = props;
  const [reason, setReason] = useState('');
  const [once, again] = useOnce();
  return (
    <Action
      label={label}
      name={title.replace(/\?$/, '')}
      confirm={{ title, text: 'It judges songs from now on. Scores that were given stay as they are.', yes }}
      fields={
        <Field label="Reason, for who asks later">
          {(id) => (
            <textarea
              id={id}
              value={reason}
              required
              minLength={3}
              onChange={({ target }) => setReason(target.value)}
            />
          )}
        </Field>
      }
      run={() => send('POST', path, { reason }, once)}
      refreshes={['/models', '/promotions', '/pipeline']}
      onDone={() => {
        setReason('');
        again();
      }}
    />
  );
}
