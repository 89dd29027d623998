/** The registry: who is champion, who might be, and what they learned from. */
import { useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import type { DataSetRow, Leaderboard, PromotionView, RunView } from '../../../api/models/schemas.ts';
import { useApi, useMe } from '../../api.ts';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { SavedViews } from '../../components/saved-views.tsx';
import { type Column, DataTable } from '../../components/table.tsx';
import { count, moment } from '../../format.ts';
import { leaderboardColumns } from './leaderboard.tsx';
import { Rollback } from './promotion.tsx';
import { Runs } from './runs.tsx';
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
                  columns={leaderboardColumns(operator, chosen, choose)}
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
