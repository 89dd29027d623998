/** Everything that failed for good, with its reason: retried or dismissed a reason at once. */
import type { FailureItem, ReasonGroup } from '../../../api/pipeline/schemas.ts';
import { send, useApi, useMe } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { useAddressFilter } from '../../components/address-filter.ts';
import { SelectField, TypedField } from '../../components/field.tsx';
import { type Paged, useList } from '../../components/list.ts';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { SavedViews } from '../../components/saved-views.tsx';
import { DataTable, Pager } from '../../components/table.tsx';
import { count, counted } from '../../format.ts';
import { type Chosen, failureColumns, groupColumns } from './failure-columns.tsx';
import { Retry } from './reasons.tsx';

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
  const groups = useApi<{ total: number; items: ReasonGroup[]; more: boolean }>('/failures/reasons', filter, {
    placeholderData: (before) => before,
  });
  const list = useList<Paged<FailureItem>>('/failures', filter);
  const open = filter.state === 'open';
  // Counts of the filter before are none to retry or dismiss by.
  const changeGroups = operator && open && !groups.isPlaceholderData;
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
                  {changeGroups && <Bulk {...{ total, filter: chosen }} />}
                </div>
                <DataTable
                  caption="Failures by reason"
                  prefix="reasons."
                  rows={items}
                  rowId={({ stage, reason }) => `${stage} ${reason}`}
                  columns={groupColumns(changeGroups, chosen, (stage, reason) => {
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
                columns={failureColumns(operator && open)}
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
