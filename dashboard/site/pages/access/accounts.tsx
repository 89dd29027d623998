/** Who may use these pages, and as what. */
import { useState } from 'react';
import type { Account } from '../../../api/access/schemas.ts';
import { send, useApi, useMe } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, moment } from '../../format.ts';

const roles = [
  ['viewer', 'viewer: sees pipeline, catalogue and models'],
  ['artist', 'artist: sees catalogue and models, has songs of their own'],
  ['operator', 'operator: may do everything'],
] as const;

export default function Accounts() {
  const accounts = useApi<Account[]>('/accounts');
  return (
    <Page title="Accounts" lead="As soon as there is one, everybody signs in.">
      <Panel title="Accounts">
        <Loaded query={accounts}>
          {(list) =>
            list.length === 0 ? (
              <Empty title="There is no account">
                Whoever sits at this machine may do everything, and the pages are served to this machine
                alone. The first account has to be an operator's.
              </Empty>
            ) : (
              <List accounts={list} />
            )
          }
        </Loaded>
      </Panel>
      <NewAccount first={accounts.data?.length === 0} />
    </Page>
  );
}

function List({ accounts }: { accounts: readonly Account[] }) {
  const me = useMe().data;
  const change = (account: string, body: object) =>
    send('PATCH', `/accounts/${encodeURIComponent(account)}`, body);
  return (
    <DataTable
      caption="Accounts"
      rows={accounts}
      rowId={({ account }) => account}
      columns={[
        {
          id: 'account',
          header: 'Name',
          sortBy: (row) => row.account,
          cell: ({ account }) => `${account}${account === me?.name ? ' (you)' : ''}`,
        },
        { id: 'role', header: 'Role', sortBy: (row) => row.role, cell: ({ role }) => role },
        {
          id: 'state',
          header: 'State',
          cell: ({ disabled }) =>
            disabled ? <Status state="paused" word="disabled" /> : <Status state="alive" word="enabled" />,
        },
        { id: 'tokens', header: 'Tokens', numeric: true, cell: ({ tokens }) => count(tokens) },
        {
          id: 'since',
          header: 'Since',
          sortBy: (row) => row.createdAt,
          cell: (row) => moment(row.createdAt),
        },
        {
          id: 'change',
          header: 'Change',
          cell: ({ account, disabled, role }) => (
            <span className="actions">
              {roles
                .filter(([name]) => name !== role)
                .map(([name]) => (
                  <Action
                    key={name}
                    label={`Make ${name}`}
                    name={`Make ${account} ${name}`}
                    confirm={{
                      title: `Make ${account} ${name}?`,
                      text: roles.find(([other]) => other === name)![1],
                      yes: 'Change it',
                    }}
                    run={() => change(account, { role: name })}
                    refreshes={['/accounts']}
                  />
                ))}
              <Action
                label={disabled ? 'Enable' : 'Disable'}
                name={`${disabled ? 'Enable' : 'Disable'} ${account}`}
                run={() => change(account, { disabled: !disabled })}
                refreshes={['/accounts']}
              />
              <Action
                label="Remove"
                name={`Remove ${account}`}
                kind="danger"
                confirm={{
                  title: `Remove ${account}?`,
                  text: 'Their songs, scores and tokens are gone with the account. To keep them, disable it.',
                  yes: 'Remove it',
                }}
                run={() => send('DELETE', `/accounts/${encodeURIComponent(account)}`)}
                refreshes={['/accounts']}
              />
            </span>
          ),
        },
      ]}
    />
  );
}

function NewAccount({ first }: { first: boolean }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<string>('operator');
  return (
    <Panel title="New account">
      <div className="filters">
        <TextField label="Name" value={name} onChange={setName} autoComplete="off" />
        <TextField
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
        />
        <SelectField label="Role" value={role} onChange={setRole} options={first ? roles.slice(2) : roles} />
        <Action
          label="Add"
          kind="primary"
          disabled={name.trim() === '' || password === ''}
          run={() => send('POST', '/accounts', { name: name.trim(), password, role })}
          refreshes={['/accounts', 'me']}
          onDone={() => {
            setName('');
            setPassword('');
            // From the first account on everybody signs in, this one too.
            if (first) location.assign('/sign-in');
          }}
        />
      </div>
    </Panel>
  );
}
