/** The pipeline: what runs, what failed, what comes next, and whether all is well. */
import { Link } from 'react-router';
import type { CurrentCrawl, PipelineSnapshot } from '../../../api/pipeline/schemas.ts';
import { send, useApi, useMe } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { Ago, useNow } from '../../components/ago.tsx';
import { Meter } from '../../components/meter.tsx';
import { Empty, Fact, Facts, Figure, Loaded, Notice, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { useEvent } from '../../events.ts';
import { count, counted, duration, moment } from '../../format.ts';
import { FunnelBars, TimeLeftText } from './funnel.tsx';
import { StagesTable } from './stages-table.tsx';
import { StartCrawl } from './start-crawl.tsx';

export default function Pipeline() {
  const asked = useApi<PipelineSnapshot>('/pipeline');
  const pushed = useEvent<PipelineSnapshot>('pipeline');
  const operator = useMe().data?.role === 'operator';
  const live = pushed && { ...asked, data: pushed.value, error: null };
  return (
    <Page
      title="Pipeline"
      lead={
        pushed ? (
          <>
            Live; updated <Ago at={pushed.at} />.
          </>
        ) : (
          'Waiting for the first event.'
        )
      }
      actions={operator && <StartCrawl />}
    >
      <Loaded query={(live ?? asked) as typeof asked}>
        {(snapshot) => <Snapshot snapshot={snapshot} operator={operator} />}
      </Loaded>
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
        <Panel title="What runs">
          <RunningList items={running} />
        </Panel>
        <Panel title="What comes next">
          {next.length === 0 ? (
            <p>
              Nothing is scheduled. <Link to="/schedules">Schedule a night</Link>.
            </p>
          ) : (
            <ul className="plain">
              {next.map(({ schedule, at, timezone }) => (
                <li key={schedule}>
                  <Link to="/schedules">{schedule}</Link> {inZone(at, timezone)}
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
          <Reasons reasons={failures.reasons} operator={operator} />
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
      <Panel title="Stages and their queues">
        <StagesTable stages={snapshot.stages} operator={operator} />
      </Panel>
      <Panel title={`Workers alive: ${snapshot.workers.length}`}>
        <Workers workers={snapshot.workers} />
      </Panel>
    </>
  );
}

function CrawlPanel({ crawl, operator }: { crawl: CurrentCrawl; operator: boolean }) {
  const now = useNow();
  const { rates, funnel } = crawl;
  const seconds =
    (Date.parse(crawl.finishedAt ?? new Date(now).toISOString()) - Date.parse(crawl.startedAt)) / 1000;
  return (
    <Panel
      title={`${crawl.crawl}: ${crawl.asked}`}
      actions={
        <>
          <Status state={crawl.state} />
          <Link className="button" to={`/crawls/${crawl.crawl}`}>
            Details
          </Link>
          {operator && <CrawlActions crawl={crawl} />}
        </>
      }
    >
      <div className="figures">
        <Figure value={count(funnel.tracks.found)} name="tracks found" />
        <Figure
          value={count(crawl.audio ? funnel.tracks.ready : funnel.tracks.found)}
          name={crawl.audio ? 'with a spectrogram' : 'stored'}
          note={rates && `${rates.ready.toFixed(0)} a minute, over the last ${duration(rates.overSeconds)}`}
        />
        <Figure value={duration(seconds)} name={crawl.state === 'running' ? 'elapsed' : 'taken'} />
        {crawl.timeLeft && <TimeLeftText left={crawl.timeLeft} />}
      </div>
      <FunnelBars funnel={funnel} audio={crawl.audio} />
      <Reasons reasons={crawl.failures} operator={operator} crawl={crawl.crawl} />
    </Panel>
  );
}

export function CrawlActions({ crawl }: { crawl: { crawl: string; state: string; source: string } }) {
  const [once, again] = useOnce();
  const refreshes = ['/crawls', '/pipeline'];
  if (crawl.state === 'running') {
    return (
      <Action
        label="Cancel"
        kind="danger"
        confirm={{
          title: `Cancel ${crawl.crawl}?`,
          text: 'What waits is taken out of the queues and what runs is stopped. What is done stays, and it can be resumed.',
          yes: 'Cancel the crawl',
        }}
        run={() => send('POST', `/crawls/${crawl.crawl}/cancel`)}
        refreshes={refreshes}
      />
    );
  }
  if (crawl.state !== 'cancelled' || crawl.source !== 'spotify') return null;
  return (
    <Action
      label="Resume"
      kind="primary"
      run={() => send('POST', `/crawls/${crawl.crawl}/resume`, undefined, once)}
      onDone={again}
      refreshes={refreshes}
    />
  );
}

function Reasons(props: {
  reasons: PipelineSnapshot['failures']['reasons'];
  operator: boolean;
  crawl?: string;
}) {
  const { reasons, operator, crawl } = props;
  if (reasons.length === 0) return <p>Nothing has failed.</p>;
  return (
    <ul className="plain reasons">
      {reasons.map(({ stage, reason, count: times }) => {
        const search = new URLSearchParams({ stage, reason, ...(crawl ? { crawl } : {}) });
        return (
          <li key={`${stage} ${reason}`}>
            <Link to={`/failures?${search}`}>
              {count(times)} × {stage}
            </Link>
            : {reason}{' '}
            {operator && <RetryReason {...{ stage, reason, times }} {...(crawl ? { crawl } : {})} />}
          </li>
        );
      })}
    </ul>
  );
}

export function RetryReason(props: { stage: string; reason: string; times: number; crawl?: string }) {
  const { stage, reason, times, crawl } = props;
  const [once, again] = useOnce();
  return (
    <Action
      label={`Retry ${count(times)}`}
      name={`Retry ${times} of stage ${stage}: ${reason}`}
      confirm={{
        title: `Retry ${counted(times, 'failure')}?`,
        text: `Stage ${stage}: ${reason}`,
        yes: `Retry ${count(times)}`,
      }}
      run={() =>
        send('POST', '/failures/retry', { stage, reason, expected: times, ...(crawl ? { crawl } : {}) }, once)
      }
      onDone={again}
      refreshes={['/failures', '/pipeline', '/crawls']}
    />
  );
}

const pageOf: Record<string, (id: string) => string> = {
  crawl: (id) => `/crawls/${id}`,
  model: (id) => `/models/${id}`,
  batch: (id) => `/songs/batch/${id}`,
  night: (id) => `/schedules/nights/${id}`,
  track: (id) => `/tracks/${id}`,
  song: (id) => `/songs/${id}`,
  'data-set': (id) => `/data-sets/${id}`,
};

/** A public id as a link to its page. */
export function IdLink({ id }: { id: string }) {
  const page = pageOf[id.replace(/-\d+$/, '')];
  return page ? <Link to={page(id)}>{id}</Link> : id;
}

/** The queues' board is no page of this application. */
function PageLink({ to, children }: { to: string; children: React.ReactNode }) {
  return to.startsWith('/queues') ? <a href={to}>{children}</a> : <Link to={to}>{children}</Link>;
}

function RunningList({ items }: { items: PipelineSnapshot['running'] }) {
  const now = useNow();
  if (items.length === 0) return <p>Nothing runs.</p>;
  return (
    <ul className="plain">
      {items.map(({ id, what, since, done, total, noun }) => (
        <li key={id}>
          <IdLink id={id} /> {what}, for {duration((now - Date.parse(since)) / 1000)}{' '}
          {done !== null && total !== null && <Meter done={done} total={total} noun={noun} />}
        </li>
      ))}
    </ul>
  );
}

function Workers({ workers }: { workers: PipelineSnapshot['workers'] }) {
  if (workers.length === 0) {
    return (
      <Empty title="No worker is alive">
        <code>hiphop up</code> on this machine starts them, <code>hiphop work</code> adds one anywhere.
      </Empty>
    );
  }
  return (
    <Facts>
      {workers.map(({ host, pid, stages, backend, since, heartbeatAt }) => (
        <Fact key={`${host} ${pid}`} name={`${host}, process ${pid}`}>
          <Status state="alive" /> {stages.join(', ')}
          <br />
          <small>
            since {moment(since)}, heard of <Ago at={heartbeatAt} />
            {backend && <>, computes with {backend}</>}
          </small>
        </Fact>
      ))}
    </Facts>
  );
}

/** A time in a schedule's own zone, which is named. */
export function inZone(at: string, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone });
  return `${format.format(new Date(at))} (${timeZone})`;
}
