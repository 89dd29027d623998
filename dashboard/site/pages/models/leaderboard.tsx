/** The columns of the leaderboard, which the server orders. */
import { Link } from 'react-router';
import type { ModelRow } from '../../../api/models/schemas.ts';
import { Status } from '../../components/status.tsx';
import type { Column } from '../../components/table.tsx';
import { count, duration, figure, moment, percent, withInterval } from '../../format.ts';
import { Interval } from './interval.tsx';
import { ModelActions } from './model-actions.tsx';
import { Progress } from './progress.tsx';

export function leaderboardColumns(
  operator: boolean,
  chosen: readonly string[],
  choose: (id: string, on: boolean) => void,
): Column<ModelRow>[] {
  const top = (name: 'top10' | 'top20', header: string): Column<ModelRow> => ({
    id: name,
    header,
    numeric: true,
    sortBy: true,
    cell: ({ figures }) => {
      const one = figures?.[name];
      return one ? (
        <>
          {percent(one.precision)}
          <br />
          <small>of n = {one.n}</small>
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
      sortBy: true,
      cell: ({ id, name, champion, nullTest, error }) => (
        <>
          <Link to={`/models/${id}`}>{id}</Link> {name}
          {champion && (
            <>
              <br />
              <Status state="champion" />
            </>
          )}
          {nullTest && <small> null test</small>}
          {error && (
            <small>
              <br />
              {error}
            </small>
          )}
        </>
      ),
    },
    {
      id: 'state',
      header: 'State',
      sortBy: true,
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
      sortBy: true,
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
      header: 'n, measured on',
      numeric: true,
      sortBy: true,
      cell: ({ figures }) =>
        figures ? (
          <>
            {count(figures.n)}
            <br />
            <small>{figures.basis}</small>
          </>
        ) : (
          '–'
        ),
    },
    {
      id: 'accuracy',
      header: 'Accuracy',
      numeric: true,
      sortBy: true,
      cell: ({ figures }) => (figures?.accuracy == null ? '–' : percent(figures.accuracy)),
    },
    top('top10', 'Popular in top 10 %'),
    top('top20', '… in top 20 %'),
    {
      id: 'ece',
      header: 'Calibration error',
      extra: true,
      numeric: true,
      sortBy: true,
      cell: ({ figures }) => (figures?.ece == null ? '–' : figure(figures.ece)),
    },
    {
      id: 'dataSet',
      header: 'Data set',
      sortBy: true,
      cell: ({ dataSet, dataSetId }) => <Link to={`/data-sets/${dataSetId}`}>{dataSet}</Link>,
    },
    {
      id: 'time',
      header: 'Trained in, on',
      numeric: true,
      sortBy: true,
      cell: ({ trainSeconds, backend }) => (
        <>
          {trainSeconds === null ? '–' : duration(trainSeconds)}
          <br />
          <small>{backend?.replace(/^tensorflow-/, '')}</small>
        </>
      ),
    },
    {
      id: 'parameters',
      header: 'Parameters',
      extra: true,
      numeric: true,
      sortBy: true,
      cell: ({ parameters }) => (parameters === null ? '–' : count(parameters)),
    },
    { id: 'preset', header: 'Preset', extra: true, cell: ({ preset }) => preset ?? '' },
    { id: 'seed', header: 'Seed', extra: true, numeric: true, cell: ({ seed }) => seed ?? '' },
    {
      id: 'created',
      header: 'Made',
      extra: true,
      sortBy: true,
      cell: ({ createdAt }) => moment(createdAt),
    },
    ...(operator
      ? [{ id: 'change', header: 'Change', cell: (row: ModelRow) => <ModelActions model={row} /> }]
      : []),
  ];
}
