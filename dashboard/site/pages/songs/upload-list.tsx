/** Uploads under way and those that ended, wherever their batch is looked at. */
import { Link } from 'react-router';
import { Notice } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { bytes, count } from '../../format.ts';
import { dropUpload, retryUpload, type UploadRow, useUploads } from './uploads.ts';

/** @param props.batch only its uploads; left out: those of all batches, each with the way to it */
export function UploadList({ batch }: { batch?: string }) {
  const rows = useUploads(batch);
  const batches = [...new Set(rows.map((row) => row.batch))];
  return batches.map((id) => (
    <BatchUploads
      key={id}
      rows={rows.filter((row) => row.batch === id)}
      link={batch === undefined ? id : null}
    />
  ));
}

function BatchUploads({ rows, link }: { rows: readonly UploadRow[]; link: string | null }) {
  const done = rows.filter(({ state }) => state === 'done').length;
  const busy = rows.some(({ state }) => state === 'waiting' || state === 'running');
  return (
    <>
      <Notice kind={done === rows.length ? 'good' : 'info'}>
        {count(done)} of {count(rows.length)} uploaded.{' '}
        {link && <Link to={`/songs/batch/${link}`}>Watch them being judged</Link>}{' '}
        {busy ? (
          <small> Uploads go on while you look at other pages; keep this tab open.</small>
        ) : (
          <button
            type="button"
            onClick={() => {
              for (const { key } of rows) dropUpload(key);
            }}
          >
            Clear this list
          </button>
        )}
      </Notice>
      <ul className="plain uploads" aria-label="Uploads">
        {rows.map((row) => (
          <Upload key={row.key} row={row} />
        ))}
      </ul>
    </>
  );
}

function Upload({ row: { key, file, share, state, error, again } }: { row: UploadRow }) {
  return (
    <li>
      <Status state={state} word={state === 'done' ? 'uploaded' : state} /> {file.name}{' '}
      <small>{bytes(file.size)}</small>{' '}
      {state === 'running' && <progress value={share} max={1} aria-label={`Upload of ${file.name}`} />}
      {error && <small className="status bad"> {error}</small>}{' '}
      {state === 'failed' && again && (
        <button type="button" onClick={() => void retryUpload(key)} aria-label={`Upload ${file.name} again`}>
          Try again
        </button>
      )}{' '}
      {state !== 'done' && (
        <button
          type="button"
          onClick={() => dropUpload(key)}
          aria-label={`${state === 'failed' ? 'Take off the list' : 'Cancel the upload of'} ${file.name}`}
        >
          {state === 'failed' ? 'Dismiss' : 'Cancel'}
        </button>
      )}
    </li>
  );
}
