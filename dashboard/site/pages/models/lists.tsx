/** What stands below the leaderboard, each list in parts. */
import { Link } from 'react-router';
import type { DataSetRow, PromotionView, RunView } from '../../../api/models/schemas.ts';
import { useMe } from '../../api.ts';
import { IdLink } from '../../components/id-link.tsx';
import { type Paged, useList } from '../../components/list.ts';
import { Loaded, Panel } from '../../components/page.tsx';
import { type Column, DataTable, Pager } from '../../components/table.tsx';
import { count, moment } from '../../format.ts';
import { Runs } from './runs.tsx';

const limit = 10;

export function DataSets() {
  const list = useList<Paged<DataSetRow>>('/data-sets', { limit }, 'sets.');
  const operator = useMe().data?.role === 'operator';
  return (
    <Panel title="Data sets">
      <Loaded query={list}>
        {({ items, ...page }) =>
          page.total === 0 ? (
            <p>
              None is frozen yet
              {operator ? (
                <>
                  : <code>hiphop freeze</code>
                </>
              ) : (
                ', which an operator does'
              )}
              .
            </p>
          ) : (
            <>
              <DataTable
                caption="Data sets, newest first"
                prefix="sets."
                rows={items}
                rowId={({ id }) => id}
                columns={dataSetColumns}
              />
              <Pager {...page} prefix="sets." noun="data sets" />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

export function ChampionsSoFar() {
  const list = useList<Paged<PromotionView>>('/promotions', { limit }, 'champions.');
  return (
    <Panel title="Champions so far">
      <Loaded query={list}>
        {({ items, ...page }) =>
          page.total === 0 ? (
            <p>There was none yet.</p>
          ) : (
            <>
              <ul className="plain">
                {items.map(({ model, name, at, by, reason }) => (
                  <li key={`${model} ${at}`}>
                    <IdLink id={model} /> ({name}), {moment(at)}, by {by}
                    <br />
                    <small>{reason}</small>
                  </li>
                ))}
              </ul>
              <Pager {...page} prefix="champions." noun="promotions" />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

/** Of all data sets, or of one. */
export function TrainingRuns({ dataSet, title = 'Training runs' }: { dataSet?: string; title?: string }) {
  const list = useList<Paged<RunView>>('/training-runs', { limit, dataSet }, 'runs.');
  return (
    <Panel title={title}>
      <Loaded query={list}>
        {({ items, ...page }) =>
          page.total === 0 ? (
            <p>None yet.</p>
          ) : (
            <>
              <Runs runs={items} />
              <Pager {...page} prefix="runs." noun="training runs" />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

const dataSetColumns: Column<DataSetRow>[] = [
  { id: 'name', header: 'Data set', cell: ({ id, name }) => <Link to={`/data-sets/${id}`}>{name}</Link> },
  { id: 'tracks', header: 'Tracks', numeric: true, cell: (row) => count(row.tracks) },
  { id: 'groups', header: 'Groups', numeric: true, cell: (row) => count(row.groups) },
  { id: 'threshold', header: 'Popular from', numeric: true, cell: (row) => Math.round(row.threshold) },
  { id: 'models', header: 'Models', numeric: true, cell: (row) => count(row.models) },
  { id: 'when', header: 'Frozen', cell: (row) => moment(row.createdAt) },
];
