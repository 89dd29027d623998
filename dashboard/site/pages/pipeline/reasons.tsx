/** Why things failed, and how to try them again. */
import { Link } from 'react-router';
import type { PipelineSnapshot } from '../../../api/pipeline/schemas.ts';
import { send } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { count, counted } from '../../format.ts';

/** So many reasons are listed here; all of them are on the page Failures. */
const reasonsListed = 5;

/** Why things failed, most frequent first, each with a way to see and to retry them. */
export function Reasons(props: {
  reasons: PipelineSnapshot['failures']['reasons'];
  operator: boolean;
  crawl?: string;
  listed?: number;
}) {
  const { reasons, operator, crawl, listed = reasonsListed } = props;
  if (reasons.length === 0) return <p>Nothing has failed.</p>;
  const of = crawl ? { crawl } : {};
  return (
    <>
      <ul className="plain reasons">
        {reasons.slice(0, listed).map(({ stage, reason, count: times }) => (
          <li key={`${stage} ${reason}`}>
            <span>
              <Link to={`/failures?${new URLSearchParams({ stage, reason, ...of })}`}>
                {count(times)} × {stage}
              </Link>
              : {reason}
            </span>
            {operator && <RetryReason {...{ stage, reason, times }} {...of} />}
          </li>
        ))}
      </ul>
      {reasons.length > listed && (
        <p>
          <Link to={`/failures?${new URLSearchParams(of)}`}>All reasons</Link>
        </p>
      )}
    </>
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
