/** The nights: what is done when, what comes next, how the last ones went. */
import type { NightItem, ScheduleItem, SchedulesSnapshot } from '../../../api/schedules/schemas.ts';
import { send, useApi, useMe } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { type Paged, useList } from '../../components/list.ts';
import { LiveSince } from '../../components/live-since.tsx';
import { Empty, Fact, Facts, Loaded, Notice, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Pager } from '../../components/table.tsx';
import { useEvent, useLive } from '../../events.ts';
import { inZone, moment } from '../../format.ts';
import { NightsTable } from './nights-table.tsx';
import { ScheduleForm } from './schedule-form.tsx';

const refreshes = ['/schedules', '/nights', '/pipeline'];

export default function Schedules() {
  const asked = useApi<SchedulesSnapshot>('/schedules');
  const { query, at, live } = useLive(asked, useEvent<SchedulesSnapshot>('schedules'));
  const operator = useMe().data?.role === 'operator';
  const nights = useList<Paged<NightItem>>('/nights');
  return (
    <Page
      title="Schedules"
      lead={<LiveSince {...{ at, live }} before="What is done again and again, e.g. every night." />}
      actions={operator && <ScheduleForm />}
    >
      <Loaded query={query}>
        {({ schedules, working }) => (
          <>
            {!working && (
              <Notice kind="warn">
                No worker is alive that starts what is due: <code>hiphop up</code> has one.
              </Notice>
            )}
            {schedules.length === 0 ? (
              <Empty title="Nothing is scheduled yet">
                A night crawls, freezes a data set and trains, one after the other, e.g. at 3 o'clock.
                {operator ? ' Add one above.' : ' An operator adds one.'}
              </Empty>
            ) : (
              schedules.map((schedule) => (
                <OneSchedule key={schedule.schedule} schedule={schedule} operator={operator} />
              ))
            )}
          </>
        )}
      </Loaded>
      <Panel title="The last nights">
        <Loaded query={nights}>
          {({ items, ...page }) =>
            items.length === 0 ? (
              <p>No night has run yet.</p>
            ) : (
              <>
                <NightsTable nights={items} />
                <Pager {...page} noun="nights" />
              </>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

function OneSchedule({ schedule, operator }: { schedule: ScheduleItem; operator: boolean }) {
  const { schedule: name, cron, timezone, steps, paused, nextAt, running, last } = schedule;
  return (
    <Panel
      title={name}
      actions={
        <>
          {paused ? (
            <Status state="paused" />
          ) : running ? (
            <Status state="running" />
          ) : (
            <Status state="waiting" />
          )}
          {operator && <Change schedule={schedule} />}
        </>
      }
    >
      <Facts>
        <Fact name="Steps">{steps.join(', then ')}</Fact>
        <Fact name="Pattern">
          <code>{cron}</code> in {timezone}
        </Fact>
        <Fact name="Next">
          {nextAt ? (
            <span title={inZone(nextAt, timezone)}>{moment(nextAt)}</span>
          ) : paused ? (
            'none while it is paused'
          ) : (
            'never'
          )}
        </Fact>
        <Fact name="Running">{running ? `${running.night}, since ${moment(running.startedAt)}` : 'no'}</Fact>
        <Fact name="Last">
          {last ? (
            <>
              <Status state={last.state} /> {moment(last.startedAt)}{' '}
              {last.reason && <small>{last.reason}</small>}
            </>
          ) : (
            'none yet'
          )}
        </Fact>
      </Facts>
    </Panel>
  );
}

function Change({ schedule }: { schedule: ScheduleItem }) {
  const { schedule: name, paused, running, steps } = schedule;
  const [once, again] = useOnce();
  const path = `/schedules/${encodeURIComponent(name)}`;
  return (
    <>
      {running ? (
        <Action
          label="Cancel the night"
          kind="danger"
          confirm={{
            title: `Cancel ${running.night}?`,
            text: 'The step under way is stopped, those that wait are not begun. What is done stays.',
            yes: 'Cancel it',
          }}
          run={() => send('POST', `/nights/${running.night}/cancel`)}
          refreshes={refreshes}
        />
      ) : (
        <Action
          label="Run now"
          name={`Run ${name} now`}
          confirm={{ title: `Run ${name} now?`, text: `Its steps: ${steps.join(', then ')}.`, yes: 'Run it' }}
          run={() => send('POST', `${path}/run`, undefined, once)}
          onDone={again}
          refreshes={refreshes}
        />
      )}
      <Action
        label={paused ? 'Resume' : 'Pause'}
        name={`${paused ? 'Resume' : 'Pause'} ${name}`}
        run={() => send('POST', `${path}/${paused ? 'resume' : 'pause'}`)}
        refreshes={refreshes}
      />
      <ScheduleForm schedule={schedule} />
      <Action
        label="Remove"
        name={`Remove ${name}`}
        kind="danger"
        confirm={{
          title: `Remove ${name}?`,
          text: 'It starts no night any more. The nights that it had stay in the list.',
          yes: 'Remove it',
        }}
        run={() => send('DELETE', path)}
        refreshes={refreshes}
      />
    </>
  );
}
