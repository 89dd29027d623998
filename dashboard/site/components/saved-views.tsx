/** Filters and columns of this page under a name, to come back to or to share. */
import { useState } from 'react';
import { Link, useLocation } from 'react-router';
import type { View } from '../../api/access/schemas.ts';
import { send, useApi } from '../api.ts';
import { Action } from './action.tsx';
import { TextField } from './field.tsx';

export function SavedViews() {
  const { pathname, search } = useLocation();
  const views = useApi<View[]>('/views', { page: pathname });
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  return (
    <details className="chooser">
      <summary>Views{views.data && views.data.length > 0 ? ` (${views.data.length})` : ''}</summary>
      <div>
        {views.data?.length === 0 && <p>No view of this page is saved yet.</p>}
        <ul className="plain">
          {views.data?.map((view) => (
            <li key={view.id}>
              <Link to={{ pathname, search: view.search }}>{view.name}</Link>
              {view.shared && <small> shared by {view.by}</small>}{' '}
              {view.own && (
                <Action
                  label="Delete"
                  name={`Delete the view ${view.name}`}
                  run={() => send('DELETE', `/views/${view.id}`)}
                  refreshes={['/views']}
                />
              )}
            </li>
          ))}
        </ul>
        <TextField label="Name of this view" value={name} onChange={setName} />
        <label>
          <input type="checkbox" checked={shared} onChange={({ target }) => setShared(target.checked)} />{' '}
          others see it
        </label>
        <Action
          label="Save this view"
          disabled={name.trim() === ''}
          run={() => send('POST', '/views', { page: pathname, name: name.trim(), search, shared })}
          refreshes={['/views']}
          onDone={() => setName('')}
        />
      </div>
    </details>
  );
}
