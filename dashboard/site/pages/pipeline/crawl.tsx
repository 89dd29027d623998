/** One crawl: how far it is, and what brought less than it promised. */
import { useParams } from 'react-router';
import type { CrawlDetail } from '../../../api/pipeline/schemas.ts';
import { useApi, useMe } from '../../api.ts';
import { useNow } from '../../components/ago.tsx';
import { Fact, Facts, Figure, Loaded, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, counted, duration, moment, percent } from '../../format.ts';
import { CrawlActions } from './crawl-panel.tsx';
import { FunnelBars, TimeLeftText } from './funnel.tsx';
import { Reasons } from './reasons.tsx';

export default function Crawl() {
  const { crawl: id } = useParams();
  const crawl = useApi<CrawlDetail>(`/crawls/${id}`, {}, { refetchInterval: 5_000 });
  const operator = useMe().data?.role === 'operator';
  return (
    <Page
      title={`Crawl ${id}`}
      lead={crawl.data?.asked}
      actions={operator && crawl.data && <CrawlActions crawl={crawl.data} />}
    >
      <Loaded query={crawl}>{(detail) => <Detail crawl={detail} operator={operator} />}</Loaded>
    </Page>
  );
}

function Detail({ crawl, operator }: { crawl: CrawlDetail; operator: boolean }) {
  const now = useNow();
  const end = crawl.finishedAt ? Date.parse(crawl.finishedAt) : now;
  return (
    <>
      <Panel title="How far it is" actions={<Status state={crawl.state} />}>
        <div className="figures">
          <Figure
            value={duration((end - Date.parse(crawl.startedAt)) / 1000)}
            name={crawl.finishedAt ? 'taken' : 'elapsed'}
          />
          {crawl.timeLeft && <TimeLeftText left={crawl.timeLeft} />}
        </div>
        <FunnelBars funnel={crawl.funnel} audio={crawl.audio} />
      </Panel>
      <Panel title="Facts">
        <Facts>
          <Fact name="Source">{crawl.source}</Fact>
          <Fact name="Quota mode">{crawl.quota ?? 'not known yet'}</Fact>
          <Fact name="Search honours NOT">
            {crawl.honoursNot === null ? 'not known yet' : crawl.honoursNot ? 'yes' : 'no'}
          </Fact>
          <Fact name="Started">{moment(crawl.startedAt)}</Fact>
          <Fact name="Last page asked">{crawl.searchedAt ? moment(crawl.searchedAt) : 'not yet'}</Fact>
          <Fact name="Finished">{crawl.finishedAt ? moment(crawl.finishedAt) : 'not yet'}</Fact>
          <Fact name="New rows">
            {count(crawl.newRows)} of {count(crawl.rows)}
            {crawl.rows > 0 && ` (${percent(crawl.newRows / crawl.rows)})`}
          </Fact>
          <Fact name="Recordings, albums">
            {count(crawl.recordings)}, {count(crawl.albums)}
          </Fact>
        </Facts>
      </Panel>
      <Panel title="What failed">
        <Reasons reasons={crawl.failures} operator={operator} crawl={crawl.crawl} listed={20} />
      </Panel>
      {crawl.short.total > 0 && (
        <Panel title={`${counted(crawl.short.total, 'part')} brought less than promised`}>
          <DataTable
            caption="Parts that brought less than they promised"
            rows={crawl.short.items}
            rowId={({ query }) => query}
            columns={[
              { id: 'query', header: 'Search', prose: true, cell: ({ query }) => <code>{query}</code> },
              {
                id: 'total',
                header: 'Promised',
                numeric: true,
                cell: ({ total }) => (total === null ? '' : count(total)),
              },
              { id: 'note', header: 'What is known', prose: true, cell: ({ note }) => note },
            ]}
          />
        </Panel>
      )}
    </>
  );
}
