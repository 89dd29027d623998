/** One training run: its models, what it was asked for, and what was decided. */
import { Link, useParams, useSearchParams } from 'react-router';
import type { Leaderboard, RunView } from '../../../api/models/schemas.ts';
import { send, useApi, useMe } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { IdLink } from '../../components/id-link.tsx';
import { useList } from '../../components/list.ts';
import { Fact, Facts, Loaded, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { counted, moment } from '../../format.ts';
import { Board } from './board.tsx';
import { CompareChosen, useChosen } from './compare-chosen.tsx';

export default function TrainingRun() {
  const { run: id } = useParams();
  const run = useApi<RunView>(`/training-runs/${id}`);
  const operator = useMe().data?.role === 'operator';
  const view = run.data;
  const unfinished = view?.models.filter(({ state }) => state === 'queued' || state === 'training') ?? [];
  return (
    <Page
      title={`Training run ${id}`}
      lead={view && `${counted(view.models.length, 'model')} on the data set ${view.dataSet}`}
      actions={
        view && (
          <>
            <Status state={view.finishedAt === null ? 'running' : 'done'} />
            {operator && unfinished.length > 0 && (
              <Action
                label="Cancel"
                kind="danger"
                confirm={{
                  title: `Cancel ${unfinished.length} of the ${counted(view.models.length, 'model')} of ${id}?`,
                  text: 'What is trained stays. Each of the others can be resumed on its own page.',
                  yes: `Cancel ${counted(unfinished.length, 'model')}`,
                }}
                run={() => send('POST', `/training-runs/${id}/cancel`)}
                refreshes={['/models', '/training-runs']}
              />
            )}
          </>
        )
      }
    >
      <Loaded query={run}>{(found) => <Everything key={found.run} run={found} />}</Loaded>
    </Page>
  );
}

function Everything({ run }: { run: RunView }) {
  const [search] = useSearchParams();
  const board = useList<Leaderboard>(
    '/models',
    { run: run.run, nullTests: true, sort: search.get('models.sort') },
    'models.',
  );
  const [chosen, choose] = useChosen();
  return (
    <>
      <Panel title="Decision on the champion">
        <p>{run.decision ?? 'It is made when its last model has ended.'}</p>
        {run.later.length > 0 && (
          <ul className="plain">
            {run.later.map(({ model, reason }) => (
              <li key={model}>
                later, on <IdLink id={model} /> by itself: {reason}
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Panel title="Models" actions={<CompareChosen chosen={chosen} />}>
        <Loaded query={board}>
          {(found) => <Board board={found} chosen={chosen} choose={choose} prefix="models." />}
        </Loaded>
      </Panel>
      <Panel title="What it was asked for">
        <Facts>
          <Fact name="Data set">
            <Link to={`/data-sets/${run.dataSetId}`}>{run.dataSet}</Link>
          </Fact>
          <Fact name="Started">{moment(run.startedAt)}</Fact>
          <Fact name="Ended">{run.finishedAt === null ? 'under way' : moment(run.finishedAt)}</Fact>
          {Object.entries(run.options).map(([name, value]) => (
            <Fact key={name} name={name}>
              <code>{JSON.stringify(value)}</code>
            </Fact>
          ))}
        </Facts>
      </Panel>
    </>
  );
}
