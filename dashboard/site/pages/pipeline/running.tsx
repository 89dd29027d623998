/** What runs now, and who works on it. */
import type { PipelineSnapshot } from '../../../api/pipeline/schemas.ts';
import { Ago, useNow } from '../../components/ago.tsx';
import { IdLink } from '../../components/id-link.tsx';
import { Meter } from '../../components/meter.tsx';
import { Empty, Fact, Facts } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { duration, moment } from '../../format.ts';

export function RunningList({ items }: { items: PipelineSnapshot['running'] }) {
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

export function Workers({ workers }: { workers: PipelineSnapshot['workers'] }) {
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
