/** The versions of one song: did the new mix move? */
import { useState } from 'react';
import { Link } from 'react-router';
import type { SongView } from '../../../api/songs/schemas.ts';
import { apiUrl, send } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { TextField } from '../../components/field.tsx';
import { Panel } from '../../components/page.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, moment, percentileText } from '../../format.ts';
import { Step } from './steps.tsx';

export function Versions({ song }: { song: SongView }) {
  const [title, setTitle] = useState(song.title ?? '');
  return (
    <Panel title="Versions of this song">
      <p>
        Songs of the same title are versions of one song: drop a new mix in, in any batch, and see whether it
        moved.
      </p>
      <div className="filters">
        <TextField label="Title that versions share" value={title} onChange={setTitle} />
        <Action
          label="Change the title"
          disabled={title.trim() === '' || title === song.title}
          run={() => send('PATCH', `/songs/${song.id}`, { title: title.trim() })}
          refreshes={['/songs']}
        />
      </div>
      {song.versions.length > 0 && (
        <DataTable
          caption="Versions"
          prefix="versions."
          rows={song.versions}
          rowId={({ id }) => id}
          columns={[
            {
              id: 'file',
              header: 'File',
              prose: true,
              cell: ({ id, file }) =>
                id === song.id ? `${file} (this one)` : <Link to={`/songs/${id}`}>{file}</Link>,
            },
            {
              id: 'when',
              header: 'When',
              sortBy: (row) => row.createdAt,
              cell: (row) => moment(row.createdAt),
            },
            { id: 'model', header: 'Judge', cell: ({ model }) => model },
            { id: 'state', header: 'State', cell: ({ step }) => <Step {...{ step }} /> },
            {
              id: 'percentile',
              header: 'Percentile',
              numeric: true,
              cell: ({ percentile, holdoutN }) =>
                percentile === null || holdoutN === null ? (
                  ''
                ) : (
                  <div>
                    {percentileText(percentile)} <small>n = {count(holdoutN)}</small>
                  </div>
                ),
            },
            {
              id: 'move',
              header: 'Against the version before',
              prose: true,
              cell: ({ move }) => move?.words ?? '',
            },
          ]}
        />
      )}
      <p>
        <small>
          <a href={apiUrl(`/batches/${song.batch}/ranking.csv`)} download>
            The ranking of its batch as CSV
          </a>
        </small>
      </p>
    </Panel>
  );
}
