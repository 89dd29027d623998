/** Why things failed, and how to try them again. */
import { Link } from 'react-router';
import type { Retried } from '../../../api/pipeline/bulk-schemas.ts';
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
            {operator && <RetryReason {...{ stage, reason, times }} filter={of} />}
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

interface RetryReasonProps {
  stage: string;
  reason: string;
  times: number;
  /** What else narrowed the count. */
  filter?: Partial<Record<'text' | 'crawl', string>>;
}

export function RetryReason({ stage, reason, times, filter = {} }: RetryReasonProps) {
  return (
    <Retry
      label={`Retry ${count(times)}`}
      name={`Retry ${times} of stage ${stage}: ${reason}`}
      text={`Stage ${stage}: ${reason}`}
      filter={{ ...filter, stage, reason }}
      times={times}
    />
  );
}

/** So many reasons are told why failures could not be retried. */
const whysTold = 3;

/** What came of it: failures that have no job to repeat stay where they are. */
export function tellRetried({ retried, left, leftTotal }: Retried): string {
  const done = `Retried: ${count(retried)}`;
  if (leftTotal === 0) return `${done}.`;
  const whys = [...new Set(left.map(({ why }) => why))].slice(0, whysTold);
  return `${done}; left: ${count(leftTotal)} (${whys.join('; ')}).`;
}

/** Puts failures back into their queues: so many as were counted, or none. */
export function Retry(props: {
  label: string;
  name?: string;
  text: string;
  filter: Record<string, string>;
  times: number;
}) {
  const { label, name, text, filter, times } = props;
  const [once, again] = useOnce();
  return (
    <Action
      label={label}
      {...(name ? { name } : {})}
      confirm={{ title: `Retry ${counted(times, 'failure')}?`, text, yes: `Retry ${count(times)}` }}
      run={() => send<Retried>('POST', '/failures/retry', { ...filter, expected: times }, once)}
      onDone={again}
      tell={tellRetried}
      refreshes={['/failures', '/pipeline', '/crawls']}
    />
  );
}
