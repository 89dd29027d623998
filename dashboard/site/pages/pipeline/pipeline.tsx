/** The pipeline: what runs, what failed, what comes next, and whether all is well. */
import { Link } from 'react-router';
import type { PipelineSnapshot } from '../../../api/pipeline/schemas.ts';
import { useApi, useMe } from '../../api.ts';
import { LiveSince } from '../../components/live-since.tsx';
import { Empty, Loaded, Notice, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { useEvent, useLive } from '../../events.ts';
import { counted, inZone, moment } from '../../format.ts';
import { CancelAll } from './cancel-all.tsx';
import { CrawlPanel } from './crawl-panel.tsx';
import { Reasons } from './reasons.tsx';
import { RunningList, Workers } from './running.tsx';
import { StagesTable } from './stages-table.tsx';
import { StartCrawl } from './start-crawl.tsx';

export default function Pipeline() {
  const asked = useApi<PipelineSnapshot>('/pipeline');
  const { query, at, live } = useLive(asked, useEvent<PipelineSnapshot>('pipeline'));
  const operator = useMe().data?.role === 'operator';
  return (
    <Page
      title="Pipeline"
      lead={<LiveSince {...{ at, live }} before="Waiting for the first event." />}
      actions={
        <>
          <Link className="button" to="/crawls">
            All crawls
          </Link>
          {operator && <StartCrawl />}
        </>
      }
    >
      <Loaded query={query}>{(snapshot) => <Snapshot snapshot={snapshot} operator={operator} />}</Loaded>
    </Page>
  );
}

function Snapshot({ snapshot, operator }: { snapshot: PipelineSnapshot; operator: boolean }) {
  const { problems, crawl, running, next, nights, failures, champion } = snapshot;
  return (
    <>
      {problems.length === 0 ? (
        <Notice kind="good">All is well: nothing needs you.</Notice>
      ) : (
        problems.map(({ severity, text, link }) => (
          <div key={text} className={`notice ${severity}`} role="status">
            <span aria-hidden="true">{severity === 'bad' ? '✕' : '▲'} </span>
            {text} {link && <PageLink to={link}>Look</PageLink>}
          </div>
        ))
      )}
      {crawl ? (
        <CrawlPanel crawl={crawl} operator={operator} />
      ) : (
        <Empty title="Nothing has been crawled yet">
          {operator
            ? 'Start a crawl above, or take in a catalogue of your own: '
            : 'An operator starts a crawl, or: '}
          <code>hiphop ingest catalogue.csv</code>
        </Empty>
      )}
      <div className="grid">
        <div className="stack">
          <Panel title="What runs" actions={operator && <CancelAll />}>
            <RunningList items={running} />
          </Panel>
          <Panel title="Who judges">
            {champion ? (
              <p>
                <Status state="champion" /> <Link to={`/models/${champion.model}`}>{champion.model}</Link> (
                {champion.name})
              </p>
            ) : (
              <p>
                No model is champion yet: songs cannot be scored. <Link to="/models">Models</Link>
              </p>
            )}
          </Panel>
        </div>
        <Panel title="What comes next">
          {next.length === 0 ? (
            <p>
              Nothing is scheduled. <Link to="/schedules">Schedule a night</Link>.
            </p>
          ) : (
            <ul className="plain">
              {next.map(({ schedule, at, timezone }) => (
                <li key={schedule}>
                  <Link to="/schedules">{schedule}</Link>{' '}
                  <span title={inZone(at, timezone)}>{moment(at)}</span>
                </li>
              ))}
            </ul>
          )}
          <h3>The last nights</h3>
          {nights.length === 0 && <p>No night has run yet.</p>}
          <ul className="plain">
            {nights.map((night) => (
              <li key={night.night}>
                <Status state={night.state} />{' '}
                <Link to={`/schedules/nights/${night.night}`}>{night.schedule}</Link>{' '}
                {moment(night.startedAt)}
                {night.reason && <small> {night.reason}</small>}
              </li>
            ))}
          </ul>
        </Panel>
        <Panel title={`What failed: ${counted(failures.open, 'open failure')}`}>
          {crawl && failures.open > 0 && failures.open === crawl.failed ? (
            <p>All of it stands above: it is of {crawl.crawl}.</p>
          ) : (
            <Reasons reasons={failures.reasons} operator={operator} />
          )}
        </Panel>
      </div>
      <Panel title="Stages and their queues">
        <StagesTable stages={snapshot.stages} operator={operator} />
      </Panel>
      <Panel title={`Workers alive: ${snapshot.workers.length}`}>
        <Workers workers={snapshot.workers} />
      </Panel>
    </>
  );
}

/** The queues' board is no page of this application. */
function PageLink({ to, children }: { to: string; children: React.ReactNode }) {
  return to.startsWith('/queues') ? <a href={to}>{children}</a> : <Link to={to}>{children}</Link>;
}
