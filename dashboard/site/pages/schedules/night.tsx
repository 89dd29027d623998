/** One night: each step's outcome and time. */
import { Link, useParams } from 'react-router';
import type { NightItem } from '../../../api/schedules/schemas.ts';
import { send, useApi, useMe } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { IdLink } from '../../components/id-link.tsx';
import { Fact, Facts, Loaded, Notice, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { DataTable } from '../../components/table.tsx';
import { duration, moment } from '../../format.ts';

export default function Night() {
  const { night: id } = useParams();
  const night = useApi<NightItem>(`/nights/${id}`, {}, { refetchInterval: 5_000 });
  const operator = useMe().data?.role === 'operator';
  return (
    <Page
      title={`Night ${id}`}
      lead={
        <>
          of the schedule <Link to="/schedules">{night.data?.schedule ?? ''}</Link>
        </>
      }
      actions={
        operator &&
        night.data?.state === 'running' && (
          <Action
            label="Cancel"
            kind="danger"
            confirm={{
              title: `Cancel ${id}?`,
              text: 'The step under way is stopped. What is done stays.',
              yes: 'Cancel it',
            }}
            run={() => send('POST', `/nights/${id}/cancel`)}
            refreshes={['/nights', '/schedules', '/pipeline']}
          />
        )
      }
    >
      <Loaded query={night}>
        {({ state, reason, startedAt, finishedAt, deadlineAt, seconds, steps }) => (
          <>
            {reason && <Notice kind={state === 'failed' ? 'warn' : 'info'}>{reason}</Notice>}
            <Panel title="How it went" actions={<Status state={state} />}>
              <Facts>
                <Fact name="Started">{moment(startedAt)}</Fact>
                <Fact name="Finished">{finishedAt ? moment(finishedAt) : 'under way'}</Fact>
                <Fact name="Took">{seconds === null ? 'under way' : duration(seconds)}</Fact>
                <Fact name="Deadline">{moment(deadlineAt)}</Fact>
              </Facts>
            </Panel>
            <Panel title="Steps">
              <DataTable
                caption="Steps"
                rows={steps}
                rowId={({ step }) => step}
                columns={[
                  { id: 'step', header: 'Step', cell: ({ step }) => step },
                  { id: 'state', header: 'State', cell: (row) => <Status state={row.state} /> },
                  { id: 'works', header: 'Made', cell: ({ worksOn }) => worksOn && <IdLink id={worksOn} /> },
                  { id: 'outcome', header: 'Outcome', prose: true, cell: ({ outcome }) => outcome },
                  {
                    id: 'took',
                    header: 'Took',
                    numeric: true,
                    cell: (row) => (row.seconds === null ? '' : duration(row.seconds)),
                  },
                ]}
              />
            </Panel>
          </>
        )}
      </Loaded>
    </Page>
  );
}
