/** A crawl as the home page shows it, and what can be done to one. */
import { Link } from 'react-router';
import type { CurrentCrawl } from '../../../api/pipeline/schemas.ts';
import { send } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { useNow } from '../../components/ago.tsx';
import { Figure, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { count, counted, duration } from '../../format.ts';
import { FunnelBars, TimeLeftText } from './funnel.tsx';
import { Reasons } from './reasons.tsx';

export function CrawlPanel({ crawl, operator }: { crawl: CurrentCrawl; operator: boolean }) {
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
          note={
            rates &&
            `${(crawl.audio ? rates.ready : rates.found).toFixed(0)} a minute, over the last ${duration(rates.overSeconds)}`
          }
        />
        <Figure value={duration(seconds)} name={crawl.state === 'running' ? 'elapsed' : 'taken'} />
        {crawl.timeLeft && <TimeLeftText left={crawl.timeLeft} />}
      </div>
      <FunnelBars funnel={funnel} audio={crawl.audio} />
      <Reasons reasons={crawl.failures} operator={operator} crawl={crawl.crawl} />
    </Panel>
  );
}

export function CrawlActions({
  crawl,
}: {
  crawl: Pick<CurrentCrawl, 'crawl' | 'state' | 'source'> & Partial<Pick<CurrentCrawl, 'funnel'>>;
}) {
  const [once, again] = useOnce();
  const refreshes = ['/crawls', '/pipeline'];
  if (crawl.state === 'running') {
    return (
      <Action
        label="Cancel"
        kind="danger"
        confirm={{
          title: `Cancel ${crawl.crawl}?`,
          text: `${crawl.funnel ? `${counted(crawl.funnel.tracks.unfinished, 'track')} and ${counted(crawl.funnel.pages.queued, 'page')} wait or run: they are taken out of the queues and stopped. ` : ''}What is done stays, and it can be resumed.`,
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
