/** Everything that failed for good, with its reason: retried or dismissed a reason at once. */
import type { FailureItem, ReasonGroup } from '../../../api/pipeline/schemas.ts';
import { send, useApi, useMe } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { useAddressFilter } from '../../components/address-filter.ts';
import { SelectField, TypedField } from '../../components/field.tsx';
import { IdLink } from '../../components/id-link.tsx';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { SavedViews } from '../../components/saved-views.tsx';
import { Status } from '../../components/status.tsx';
import { type Column, DataTable, Pager } from '../../components/table.tsx';
import { count, counted, moment } from '../../format.ts';
import { Retry, RetryReason } from './reasons.tsx';

type Paged<Item> = { total: number; offset: number; limit: number; items: Item[] };

const stages = [
  '',
  'ingest',
  'search',
  'lookup',
  'preview',
  'embedding',
  'spectrogram',
  'train',
  'score',
  'schedule',
];
/** What of the filter bulk requests take. */
type Chosen = Partial<Record<'stage' | 'reason' | 'text' | 'crawl', string>>;

const states = ['open', 'retried', 'resolved', 'dismissed', 'all'];

export default function Failures() {
  const [search, set, setSearch] = useAddressFilter();
  const operator = useMe().data?.role === 'operator';
  const filter = {
    state: search.get('state') ?? 'open',
    stage: search.get('stage'),
    reason: search.get('reason'),
    text: search.get('text'),
    crawl: search.get('crawl'),
  };
  const groups = useApi<{ total: number; items: ReasonGroup[]; more: boolean }>('/failures/reasons', filter);
  const list = useApi<Paged<FailureItem>>('/failures', { ...filter, offset: search.get('offset') });
  const open = filter.state === 'open';
  const chosen: Chosen = Object.fromEntries(
    (['stage', 'reason', 'text', 'crawl'] as const).flatMap((name) =>
      filter[name] ? [[name, filter[name]]] : [],
    ),
  );
  return (
    <Page
      title="Failures"
      lead="What failed for good, on any machine. Nothing is lost: it can be retried, or dismissed."
      actions={<SavedViews />}
    >
      <div className="filters">
        <SelectField
          label="State"
          value={filter.state}
          onChange={(value) => set('state', value === 'open' ? '' : value)}
          options={states.map((name) => [name, name])}
        />
        <SelectField
          label="Stage"
          value={filter.stage ?? ''}
          onChange={(value) => set('stage', value)}
          options={stages.map((name) => [name, name || 'all stages'])}
        />
        <TypedField
          label="Reason or subject contains"
          value={filter.text ?? ''}
          onSettled={(value) => set('text', value)}
        />
        {(filter.reason || filter.crawl || filter.text) && (
          <button type="button" onClick={() => setSearch({})}>
            All failures again
          </button>
        )}
      </div>
      <Panel title="By reason">
        <Loaded query={groups}>
          {({ items, total, more }) =>
            items.length === 0 ? (
              <Empty title={open ? 'Nothing has failed' : 'Nothing fits'}>
                {open ? 'When something does, it stands here with its reason.' : 'Loosen the filter above.'}
              </Empty>
            ) : (
              <>
                <div className="actions">
                  <span>
                    {counted(total, 'failure')}
                    {more && '; the most frequent reasons are listed'}
                  </span>
                  {operator && open && <Bulk {...{ total, filter: chosen }} />}
                </div>
                <DataTable
                  caption="Failures by reason"
                  prefix="reasons."
                  rows={items}
                  rowId={({ stage, reason }) => `${stage} ${reason}`}
                  columns={groupColumns(operator && open, chosen, (stage, reason) => {
                    const { offset: _, ...others } = Object.fromEntries(search);
                    setSearch({ ...others, stage, reason });
                  })}
                />
              </>
            )
          }
        </Loaded>
      </Panel>
      <Panel title="One by one, newest first">
        <Loaded query={list}>
          {({ items, total, offset, limit }) => (
            <>
              <DataTable
                caption="Failures"
                rows={items}
                rowId={({ failure }) => failure}
                columns={columns(operator && open)}
                choosable
              />
              <Pager {...{ total, offset, limit }} noun="failures" />
            </>
          )}
        </Loaded>
      </Panel>
    </Page>
  );
}

/** All that fit, over all pages of the list: how many is said before. */
function Bulk({ total, filter }: { total: number; filter: Chosen }) {
  const all = count(total);
  return (
    <>
      <Retry label={`Retry all ${all}`} filter={filter} times={total} text="All that fit the filter above." />
      <Action
        label={`Dismiss all ${all}`}
        confirm={{
          title: `Dismiss ${counted(total, 'failure')}?`,
          text: 'All that fit the filter above leave the list without another try.',
          yes: `Dismiss ${all}`,
        }}
        run={() => send('POST', '/failures/dismiss', { ...filter, expected: total })}
        refreshes={['/failures', '/pipeline']}
      />
    </>
  );
}

function groupColumns(
  change: boolean,
  chosen: Chosen,
  only: (stage: string, reason: string) => void,
): Column<ReasonGroup>[] {
  return [
    {
      id: 'count',
      header: 'Count',
      numeric: true,
      sortBy: (row) => row.count,
      cell: (row) => count(row.count),
    },
    { id: 'stage', header: 'Stage', sortBy: (row) => row.stage, cell: (row) => row.stage },
    {
      id: 'reason',
      header: 'Reason',
      prose: true,
      sortBy: (row) => row.reason,
      cell: ({ stage, reason }) => (
        <>
          {reason}{' '}
          <button type="button" onClick={() => only(stage, reason)} aria-label={`Only these: ${reason}`}>
            Only these
          </button>
        </>
      ),
    },
    { id: 'newest', header: 'Newest', sortBy: (row) => row.newest, cell: (row) => moment(row.newest) },
    ...(change
      ? [
          {
            id: 'change',
            header: 'Change',
            cell: ({ stage, reason, count: times }: ReasonGroup) => (
              <span className="actions">
                <RetryReason {...{ stage, reason, times }} filter={chosen} />
                <Action
                  label="Dismiss"
                  name={`Dismiss ${times} of stage ${stage}: ${reason}`}
                  confirm={{
                    title: `Dismiss ${counted(times, 'failure')}?`,
                    text: `They leave the list without another try. Stage ${stage}: ${reason}`,
                    yes: `Dismiss ${count(times)}`,
                  }}
                  run={() =>
                    send('POST', '/failures/dismiss', {
                      ...chosen,
                      ...{ stage, reason, expected: times },
                    })
                  }
                  refreshes={['/failures', '/pipeline']}
                />
              </span>
            ),
          },
        ]
      : []),
  ];
}

function columns(change: boolean): Column<FailureItem>[] {
  return [
    { id: 'failure', header: 'Failure', cell: ({ failure }) => failure },
    { id: 'state', header: 'State', cell: ({ state }) => <Status state={state} /> },
    { id: 'stage', header: 'Stage', cell: ({ stage }) => stage },
    {
      id: 'subject',
      header: 'About',
      prose: true,
      cell: ({ subject, about }) => (
        <>
          {subject ?? 'a song'} {about && <IdLink id={about} />}
        </>
      ),
    },
    { id: 'reason', header: 'Reason', prose: true, cell: ({ reason }) => reason },
    { id: 'attempts', header: 'Attempts', numeric: true, cell: ({ attempts }) => count(attempts) },
    { id: 'crawl', header: 'Crawl', extra: true, cell: ({ crawl }) => crawl && <IdLink id={crawl} /> },
    { id: 'at', header: 'When', cell: ({ at }) => moment(at) },
    ...(change
      ? [
          {
            id: 'change',
            header: 'Change',
            cell: ({ failure }: FailureItem) => (
              <Action
                label="Retry"
                name={`Retry ${failure}`}
                run={() => send('POST', '/failures/retry', { ids: [failure], expected: 1 })}
                refreshes={['/failures', '/pipeline']}
              />
            ),
          },
        ]
      : []),
  ];
}
