/** The log of all machines, searched on the server. */
import { useState } from 'react';
import type { LogItem, LogPage } from '../../../api/history/schemas.ts';
import { apiUrl, useApi } from '../../api.ts';
import { useAddressFilter } from '../../components/address-filter.ts';
import { SelectField, TypedField } from '../../components/field.tsx';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { SavedViews } from '../../components/saved-views.tsx';
import { DataTable } from '../../components/table.tsx';

const filters = ['text', 'level', 'stage', 'job', 'host', 'process'] as const;
const stages = ['search', 'lookup', 'preview', 'embedding', 'spectrogram', 'train', 'score', 'schedule'];
/** How often new lines are looked for while they are followed, in milliseconds. */
const followMs = 2_000;
const exact = new Intl.DateTimeFormat('en-GB', {
  ...({ day: 'numeric', month: 'short' } as const),
  ...({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const),
});
const looks = { info: 'idle', warn: 'warn', error: 'bad', fatal: 'bad' };
const icons = { info: 'ℹ', warn: '▲', error: '✕', fatal: '✕' };

export default function Logs() {
  const [search, set, setSearch] = useAddressFilter('before');
  const [follow, setFollow] = useState(true);
  const asked = Object.fromEntries(filters.map((name) => [name, search.get(name)]));
  const before = search.get('before');
  const log = useApi<LogPage>(
    '/logs',
    { ...asked, before },
    { refetchInterval: follow && !before ? followMs : false, placeholderData: (last) => last },
  );
  const job = search.get('job');
  const host = search.get('host');
  // Both are steps that the browser's Back undoes.
  const showJob = (one: string) => {
    const { before: _, ...others } = Object.fromEntries(search);
    setSearch({ ...others, job: one });
  };
  const showAll = () => {
    const { before: _, job: __, host: ___, ...others } = Object.fromEntries(search);
    setSearch(others);
  };
  return (
    <Page
      title="Logs"
      lead="Of workers, pages and hiphop up, on all machines; kept for 14 days."
      actions={
        <>
          <SavedViews />
          <a className="button" href={apiUrl('/logs.txt', asked)} download>
            Download
          </a>
        </>
      }
    >
      <div className="filters">
        <TypedField
          label="Words of the message"
          value={search.get('text') ?? ''}
          onSettled={(value) => set('text', value)}
        />
        <SelectField
          label="Level, at least"
          value={search.get('level') ?? ''}
          onChange={(value) => set('level', value)}
          options={[['', 'any'], ...['info', 'warn', 'error', 'fatal'].map((name) => [name, name] as const)]}
        />
        <SelectField
          label="Stage"
          value={search.get('stage') ?? ''}
          onChange={(value) => set('stage', value)}
          options={[['', 'any'], ...stages.map((name) => [name, name] as const)]}
        />
        <SelectField
          label="Process"
          value={search.get('process') ?? ''}
          onChange={(value) => set('process', value)}
          options={[['', 'any'], ...['worker', 'dashboard', 'up'].map((name) => [name, name] as const)]}
        />
        <label>
          <input type="checkbox" checked={follow} onChange={({ target }) => setFollow(target.checked)} />{' '}
          follow
        </label>
      </div>
      {(job || host) && (
        <p className="actions">
          <span>
            Only lines of {job && <code>{job}</code>}{' '}
            {host && (
              <>
                {job && 'on '}the machine {host}
              </>
            )}
          </span>
          <button type="button" onClick={showAll}>
            Show all
          </button>
        </p>
      )}
      <Panel title={before ? 'Older lines' : 'Newest first'}>
        <Loaded query={log}>
          {({ items, next }) =>
            items.length === 0 ? (
              <Empty title="No line fits">Loosen the filter above, or wait until something is logged.</Empty>
            ) : (
              <>
                <Lines items={items} onJob={showJob} />
                <nav className="pager" aria-label="Pages of the log">
                  {before && (
                    <button type="button" onClick={() => set('before', '')}>
                      Newest
                    </button>
                  )}
                  {next && (
                    <button
                      type="button"
                      onClick={() => setSearch({ ...Object.fromEntries(search), before: next })}
                    >
                      Older
                    </button>
                  )}
                </nav>
              </>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

function Lines({ items, onJob }: { items: readonly LogItem[]; onJob: (job: string) => void }) {
  return (
    <DataTable
      caption="Lines of the log"
      rows={items}
      rowId={({ id }) => id}
      choosable
      columns={[
        { id: 'at', header: 'When', cell: ({ at }) => exact.format(new Date(at)) },
        {
          id: 'level',
          header: 'Level',
          cell: ({ level }) => (
            <span className={`status ${looks[level]}`}>
              <span aria-hidden="true">{icons[level]}</span> {level}
            </span>
          ),
        },
        { id: 'process', header: 'Process', cell: ({ process, pid }) => `${process} ${pid}` },
        { id: 'host', header: 'Machine', extra: true, cell: ({ host }) => host },
        { id: 'stage', header: 'Stage', cell: ({ stage }) => stage },
        {
          id: 'job',
          header: 'Job',
          cell: ({ job }) =>
            job && (
              <button
                type="button"
                className="link"
                title={job}
                aria-label={`Only lines of ${job}`}
                onClick={() => onJob(job)}
              >
                {job.replace(/-[0-9a-f]{16}$/, '')}
              </button>
            ),
        },
        {
          id: 'message',
          header: 'Message',
          prose: true,
          cell: ({ message, fields }) => (
            <>
              {message}
              {Object.keys(fields).length > 0 && (
                <details>
                  <summary>more</summary>
                  {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
                  <pre tabIndex={0}>{JSON.stringify(fields, null, 2)}</pre>
                </details>
              )}
            </>
          ),
        },
      ]}
    />
  );
}
