/** All crawls, newest first: one that was cancelled is found and resumed here. */
import { Link, useSearchParams } from 'react-router';
import type { CrawlListItem } from '../../../api/pipeline/schemas.ts';
import { useMe } from '../../api.ts';
import { SelectField } from '../../components/field.tsx';
import { type Paged, useList } from '../../components/list.ts';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { type Column, DataTable, Pager } from '../../components/table.tsx';
import { count, duration, moment } from '../../format.ts';
import { CrawlActions } from './crawl-panel.tsx';
import { StartCrawl } from './start-crawl.tsx';

export default function AllCrawls() {
  const [search, setSearch] = useSearchParams();
  const operator = useMe().data?.role === 'operator';
  const state = search.get('state');
  const crawls = useList<Paged<CrawlListItem>>('/crawls', { state });
  return (
    <Page
      title="Crawls"
      lead="Of Spotify, and catalogues that were taken in."
      actions={operator && <StartCrawl />}
    >
      <div className="filters">
        <SelectField
          label="State"
          value={state ?? ''}
          onChange={(value) => setSearch(value === '' ? {} : { state: value })}
          options={[['', 'any'], ...['running', 'done', 'cancelled'].map((name) => [name, name] as const)]}
        />
      </div>
      <Panel title="Newest first">
        <Loaded query={crawls}>
          {({ items, ...page }) =>
            items.length === 0 ? (
              <Empty title={state ? `No crawl is ${state}` : 'Nothing has been crawled yet'}>
                {state ? 'Loosen the filter above.' : 'An operator starts a crawl above.'}
              </Empty>
            ) : (
              <>
                <DataTable
                  caption="Crawls"
                  rows={items}
                  rowId={({ crawl }) => crawl}
                  columns={columns(operator)}
                />
                <Pager {...page} noun="crawls" />
              </>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

function columns(operator: boolean): Column<CrawlListItem>[] {
  return [
    {
      id: 'crawl',
      header: 'Crawl',
      cell: ({ crawl }) => <Link to={`/crawls/${crawl}`}>{crawl}</Link>,
    },
    { id: 'asked', header: 'Of', prose: true, cell: ({ asked }) => asked },
    { id: 'state', header: 'State', cell: ({ state }) => <Status state={state} /> },
    { id: 'pages', header: 'Pages asked', numeric: true, cell: ({ pages }) => count(pages) },
    { id: 'tracks', header: 'Tracks found', numeric: true, cell: ({ tracks }) => count(tracks) },
    { id: 'started', header: 'Started', cell: ({ startedAt }) => moment(startedAt) },
    {
      id: 'took',
      header: 'Took',
      numeric: true,
      cell: ({ startedAt, finishedAt }) =>
        finishedAt ? duration((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000) : 'under way',
    },
    ...(operator
      ? [{ id: 'change', header: 'Change', cell: (row: CrawlListItem) => <CrawlActions crawl={row} /> }]
      : []),
  ];
}
