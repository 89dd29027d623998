/** Columns of failures: by reason, and one by one. */

import type { Retried } from '../../../api/pipeline/bulk-schemas.ts';
import type { FailureItem, ReasonGroup } from '../../../api/pipeline/schemas.ts';
import { send } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { IdLink } from '../../components/id-link.tsx';
import { Status } from '../../components/status.tsx';
import type { Column } from '../../components/table.tsx';
import { count, counted, moment } from '../../format.ts';
import { RetryReason, tellRetried } from './reasons.tsx';

/** What of the filter bulk requests take. */
export type Chosen = Partial<Record<'stage' | 'reason' | 'text' | 'crawl', string>>;

export function groupColumns(
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

export function failureColumns(change: boolean): Column<FailureItem>[] {
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
                run={() => send<Retried>('POST', '/failures/retry', { ids: [failure], expected: 1 })}
                tell={tellRetried}
                refreshes={['/failures', '/pipeline']}
              />
            ),
          },
        ]
      : []),
  ];
}
