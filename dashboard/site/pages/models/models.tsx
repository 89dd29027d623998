/** The registry: who is champion, who might be, and what they learned from. */
import { useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import type {
  DataSetRow,
  Leaderboard,
  ModelRow,
  PromotionView,
  RunView,
} from '../../../api/models/schemas.ts';
import { send, useApi, useMe } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { Field } from '../../components/field.tsx';
import { Meter } from '../../components/meter.tsx';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { SavedViews } from '../../components/saved-views.tsx';
import { Status } from '../../components/status.tsx';
import { type Column, DataTable } from '../../components/table.tsx';
import { count, duration, figure, moment, percent, withInterval } from '../../format.ts';
import { Interval } from './interval.tsx';
import { TrainForm } from './train-form.tsx';

type Paged<Item> = { total: number; items: Item[] };

export default function Models() {
  const [search, setSearch] = useSearchParams();
  const operator = useMe().data?.role === 'operator';
  const nullTests = search.get('nullTests') === 'true';
  const board = useApi<Leaderboard>('/models', {
    nullTests,
    dataSet: search.get('dataSet'),
    name: search.get('name'),
  });
  const dataSets = useApi<Paged<DataSetRow>>('/data-sets');
  const runs = useApi<Paged<RunView>>('/training-runs', { limit: 10 });
  const promotions = useApi<Paged<PromotionView>>('/promotions', { limit: 10 });
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const choose = (id: string, on: boolean) =>
    setChosen(on ? [...chosen, id] : chosen.filter((other) => other !== id));
  return (
    <Page
      title="Models"
      lead="Judged on songs by artists that they never heard. The champion scores songs; a challenger replaces it when it is better beyond noise."
      actions={
        <>
          <SavedViews />
          {operator && dataSets.data && dataSets.data.total > 0 && (
            <TrainForm dataSets={dataSets.data.items} />
          )}
        </>
      }
    >
      <Panel
        title="Leaderboard"
        actions={
          <>
            <button
              type="button"
              disabled={chosen.length < 2}
              onClick={() => void navigate(`/models/compare?models=${chosen.join(',')}`)}
            >
              Compare {chosen.length > 0 ? count(chosen.length) : ''}
            </button>
            {operator && board.data?.champion && <Rollback />}
          </>
        }
      >
        <Loaded query={board}>
          {({ models, hiddenNullTests }) =>
            models.length === 0 ? (
              <Empty title="No model is trained yet">
                Take in a catalogue (<code>hiphop ingest catalogue.csv</code>, or a crawl), then{' '}
                <code>hiphop train</code>.
              </Empty>
            ) : (
              <>
                <DataTable
                  caption="Models"
                  rows={models}
                  rowId={({ id }) => id}
                  columns={columns(operator, chosen, choose)}
                  choosable
                />
                <p>
                  <label>
                    <input
                      type="checkbox"
                      checked={nullTests}
                      onChange={({ target }) => setSearch(target.checked ? { nullTests: 'true' } : {})}
                    />
                    also null tests, which learned from permuted labels
                    {hiddenNullTests > 0 && ` (${count(hiddenNullTests)} hidden)`}
                  </label>
                </p>
              </>
            )
          }
        </Loaded>
      </Panel>
      <div className="grid">
        <Panel title="Data sets">
          <Loaded query={dataSets}>
            {({ items }) =>
              items.length === 0 ? (
                <p>
                  None is frozen yet: <code>hiphop freeze</code>.
                </p>
              ) : (
                <DataTable
                  caption="Data sets"
                  prefix="sets."
                  rows={items}
                  rowId={({ id }) => id}
                  columns={dataSetColumns}
                />
              )
            }
          </Loaded>
        </Panel>
        <Panel title="Champions so far">
          <Loaded query={promotions}>
            {({ items }) =>
              items.length === 0 ? (
                <p>There was none yet.</p>
              ) : (
                <ul className="plain">
                  {items.map(({ model, name, at, by, reason }) => (
                    <li key={`${model} ${at}`}>
                      <Link to={`/models/${model}`}>{model}</Link> ({name}), {moment(at)}, by {by}
                      <br />
                      <small>{reason}</small>
                    </li>
                  ))}
                </ul>
              )
            }
          </Loaded>
        </Panel>
      </div>
      <Panel title="Training runs">
        <Loaded query={runs}>
          {({ items }) => (items.length === 0 ? <p>None yet.</p> : <Runs runs={items} />)}
        </Loaded>
      </Panel>
    </Page>
  );
}

function columns(
  operator: boolean,
  chosen: readonly string[],
  choose: (id: string, on: boolean) => void,
): Column<ModelRow>[] {
  const top = (name: 'top10' | 'top20', header: string): Column<ModelRow> => ({
    id: name,
    header,
    numeric: true,
    sortBy: ({ figures }) => figures?.[name]?.precision ?? null,
    cell: ({ figures }) => {
      const one = figures?.[name];
      return one ? (
        <>
          {percent(one.precision)} <small>of n = {one.n}</small>
        </>
      ) : (
        '–'
      );
    },
  });
  return [
    {
      id: 'choose',
      header: 'Compare',
      cell: ({ id }) => (
        <input
          type="checkbox"
          aria-label={`Compare ${id}`}
          checked={chosen.includes(id)}
          onChange={({ target }) => choose(id, target.checked)}
        />
      ),
    },
    {
      id: 'model',
      header: 'Model',
      sortBy: ({ name }) => name,
      cell: ({ id, name, champion, nullTest, error }) => (
        <>
          <Link to={`/models/${id}`}>{id}</Link> {name}
          {champion && (
            <>
              {' '}
              <Status state="champion" />
            </>
          )}
          {nullTest && <small> null test</small>}
          {error && <small> {error}</small>}
        </>
      ),
    },
    {
      id: 'state',
      header: 'State',
      sortBy: ({ state }) => state,
      cell: ({ state, progress }) => (
        <>
          <Status state={state} />
          {progress && <Progress progress={progress} />}
        </>
      ),
    },
    {
      id: 'auc',
      header: 'ROC-AUC [95 %]',
      sortBy: ({ figures }) => figures?.rocAuc ?? null,
      cell: ({ figures, seeds }) =>
        figures ? (
          <>
            {withInterval(figures.rocAuc, figures.rocAucCi95)}
            <Interval value={figures.rocAuc} interval={figures.rocAucCi95} />
            {seeds && (
              <small>
                {seeds.n} seeds: {figure(seeds.mean)} ± {figure(seeds.spread)}
              </small>
            )}
          </>
        ) : (
          '–'
        ),
    },
    {
      id: 'n',
      header: 'n',
      numeric: true,
      sortBy: ({ figures }) => figures?.n ?? null,
      cell: ({ figures }) => (figures ? count(figures.n) : '–'),
    },
    { id: 'basis', header: 'Measured on', cell: ({ figures }) => figures?.basis ?? '' },
    {
      id: 'accuracy',
      header: 'Accuracy',
      numeric: true,
      sortBy: ({ figures }) => figures?.accuracy ?? null,
      cell: ({ figures }) => (figures?.accuracy == null ? '–' : percent(figures.accuracy)),
    },
    top('top10', 'Popular in the top 10 %'),
    top('top20', 'Top 20 %'),
    {
      id: 'ece',
      header: 'Calibration error',
      extra: true,
      numeric: true,
      sortBy: ({ figures }) => figures?.ece ?? null,
      cell: ({ figures }) => (figures?.ece == null ? '–' : figure(figures.ece)),
    },
    {
      id: 'dataSet',
      header: 'Data set',
      sortBy: ({ dataSet }) => dataSet,
      cell: ({ dataSet, dataSetId }) => <Link to={`/data-sets/${dataSetId}`}>{dataSet}</Link>,
    },
    {
      id: 'time',
      header: 'Training',
      numeric: true,
      sortBy: ({ trainSeconds }) => trainSeconds,
      cell: ({ trainSeconds }) => (trainSeconds === null ? '–' : duration(trainSeconds)),
    },
    { id: 'backend', header: 'Back end', cell: ({ backend }) => backend ?? '–' },
    {
      id: 'parameters',
      header: 'Parameters',
      extra: true,
      numeric: true,
      sortBy: ({ parameters }) => parameters,
      cell: ({ parameters }) => (parameters === null ? '–' : count(parameters)),
    },
    { id: 'preset', header: 'Preset', extra: true, cell: ({ preset }) => preset ?? '' },
    { id: 'seed', header: 'Seed', extra: true, numeric: true, cell: ({ seed }) => seed ?? '' },
    {
      id: 'created',
      header: 'Made',
      extra: true,
      sortBy: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => moment(createdAt),
    },
    ...(operator
      ? [{ id: 'change', header: 'Change', cell: (row: ModelRow) => <Change model={row} /> }]
      : []),
  ];
}

export function Progress({ progress }: { progress: NonNullable<ModelRow['progress']> }) {
  const { phase, fold, folds, epoch, epochs } = progress;
  return (
    <small>
      {' '}
      {phase}
      {fold !== null && `, fold ${fold} of ${folds}`}{' '}
      <Meter done={epoch} total={epochs} noun="epochs at most" />
    </small>
  );
}

function Change({ model }: { model: ModelRow }) {
  const { id, state, champion, nullTest, name } = model;
  if (state === 'queued' || state === 'training') {
    return (
      <Action
        label="Cancel"
        name={`Cancel ${id}`}
        confirm={{
          title: `Cancel ${id}?`,
          text: 'Its training stops; what it has learned is lost.',
          yes: 'Cancel it',
        }}
        run={() => send('POST', `/models/${id}/cancel`)}
        refreshes={['/models', '/training-runs']}
      />
    );
  }
  if (state !== 'ready' || champion || nullTest || name === 'dummy') return null;
  return (
    <WithReason
      label="Promote"
      path={`/models/${id}/promote`}
      title={`Make ${id} (${name}) the champion?`}
      yes="Promote it"
    />
  );
}

function Rollback() {
  return (
    <WithReason
      label="Roll back"
      path="/champion/rollback"
      title="Make the champion before champion again?"
      yes="Roll back"
    />
  );
}

export function WithReason(props: { label: string; path: string; title: string; yes: string }) {
  const { label, path, title, yes } = props;
  const [reason, setReason] = useState('');
  return (
    <Action
      label={label}
      name={title.replace(/\?$/, '')}
      confirm={{ title, text: 'It judges songs from now on. Scores that were given stay as they are.', yes }}
      fields={
        <Field label="Reason, for who asks later">
          {(id) => (
            <textarea
              id={id}
              value={reason}
              required
              minLength={3}
              onChange={({ target }) => setReason(target.value)}
            />
          )}
        </Field>
      }
      run={() => send('POST', path, { reason })}
      refreshes={['/models', '/promotions', '/pipeline']}
      onDone={() => setReason('')}
    />
  );
}

const dataSetColumns: Column<DataSetRow>[] = [
  {
    id: 'name',
    header: 'Data set',
    sortBy: ({ name }) => name,
    cell: ({ id, name }) => <Link to={`/data-sets/${id}`}>{name}</Link>,
  },
  {
    id: 'tracks',
    header: 'Tracks',
    numeric: true,
    sortBy: (row) => row.tracks,
    cell: (row) => count(row.tracks),
  },
  {
    id: 'groups',
    header: 'Groups',
    numeric: true,
    sortBy: (row) => row.groups,
    cell: (row) => count(row.groups),
  },
  { id: 'threshold', header: 'Popular from', numeric: true, cell: (row) => Math.round(row.threshold) },
  {
    id: 'models',
    header: 'Models',
    numeric: true,
    sortBy: (row) => row.models,
    cell: (row) => count(row.models),
  },
  { id: 'when', header: 'Frozen', sortBy: (row) => row.createdAt, cell: (row) => moment(row.createdAt) },
];

export function Runs({ runs }: { runs: readonly RunView[] }) {
  return (
    <DataTable
      caption="Training runs"
      prefix="runs."
      rows={runs}
      rowId={({ run }) => run}
      columns={[
        { id: 'run', header: 'Run', cell: ({ run }) => run },
        {
          id: 'dataSet',
          header: 'Data set',
          cell: ({ dataSet, dataSetId }) => <Link to={`/data-sets/${dataSetId}`}>{dataSet}</Link>,
        },
        {
          id: 'models',
          header: 'Models, ROC-AUC',
          cell: ({ models }) => (
            <ul className="plain">
              {models.map(({ id, name, state, rocAuc }) => (
                <li key={id}>
                  <Link to={`/models/${id}`}>{name}</Link> {rocAuc === null ? state : figure(rocAuc)}
                </li>
              ))}
            </ul>
          ),
        },
        { id: 'decision', header: 'Decision', cell: ({ decision }) => decision ?? 'under way' },
        {
          id: 'started',
          header: 'Started',
          sortBy: (row) => row.startedAt,
          cell: (row) => moment(row.startedAt),
        },
      ]}
    />
  );
}
