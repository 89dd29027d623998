/** Models side by side; of two, whether the difference is beyond noise. */
import { Link, useSearchParams } from 'react-router';
import type { ComparisonView } from '../../../api/models/schemas.ts';
import { useApi } from '../../api.ts';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, figure, percent, withInterval } from '../../format.ts';
import { RocChart } from './charts.tsx';

const signed = (value: number) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${figure(Math.abs(value))}`;

export default function Compare() {
  const [search] = useSearchParams();
  const models = search.get('models');
  const found = useApi<ComparisonView>('/models/compare', { models }, { enabled: models !== null });
  return (
    <Page title="Compare models">
      {models === null ? (
        <Empty title="Nothing to compare yet">
          Choose two or more on <Link to="/models">the leaderboard</Link>.
        </Empty>
      ) : (
        <Loaded query={found}>{(comparison) => <Comparison comparison={comparison} />}</Loaded>
      )}
    </Page>
  );
}

function Comparison({ comparison }: { comparison: ComparisonView }) {
  const { models, paired } = comparison;
  const curves = models.flatMap(({ id, name, rocCurve }) =>
    rocCurve ? [{ name: `${id} (${name})`, points: rocCurve }] : [],
  );
  const names = [...new Set(models.flatMap(({ options }) => Object.keys(options)))].sort();
  return (
    <>
      {paired && (
        <Panel title="On the same songs, none of which either learned from">
          <p>{paired.verdict}</p>
          <DataTable
            caption="Paired comparisons"
            prefix="paired."
            rows={paired.comparisons}
            rowId={({ basis }) => basis}
            columns={[
              { id: 'basis', header: 'Songs', cell: ({ basis }) => basis },
              { id: 'n', header: 'n', numeric: true, cell: ({ n }) => (n === null ? '–' : count(n)) },
              {
                id: 'difference',
                header: 'Second less first, ROC-AUC [95 %]',
                cell: ({ difference, ci95, reason }) =>
                  difference === null ? reason : `${signed(difference)} [${ci95?.map(signed).join(' to ')}]`,
              },
              {
                id: 'noise',
                header: 'Beyond noise',
                cell: ({ beyondNoise }) => (beyondNoise ? '✓ yes' : 'no'),
              },
            ]}
          />
        </Panel>
      )}
      {curves.length > 0 && (
        <Panel title="ROC curves">
          <RocChart
            curves={curves}
            summary={models
              .map(
                (one) =>
                  `${one.id}: ${withInterval(one.figures?.rocAuc ?? null, one.figures?.rocAucCi95 ?? null)}`,
              )
              .join('; ')}
          />
        </Panel>
      )}
      <Panel title="Figures">
        <DataTable
          caption="Figures side by side"
          rows={models}
          rowId={({ id }) => id}
          columns={[
            {
              id: 'model',
              header: 'Model',
              prose: true,
              cell: ({ id, name }) => (
                <>
                  <Link to={`/models/${id}`}>{id}</Link> {name}
                </>
              ),
            },
            { id: 'basis', header: 'Measured on', cell: ({ figures }) => figures?.basis ?? '–' },
            {
              id: 'n',
              header: 'n',
              numeric: true,
              cell: ({ figures }) => (figures ? count(figures.n) : '–'),
            },
            {
              id: 'auc',
              header: 'ROC-AUC [95 %]',
              sortBy: ({ figures }) => figures?.rocAuc ?? null,
              cell: ({ figures }) => withInterval(figures?.rocAuc ?? null, figures?.rocAucCi95 ?? null),
            },
            {
              id: 'accuracy',
              header: 'Accuracy',
              numeric: true,
              cell: ({ figures }) => (figures?.accuracy == null ? '–' : percent(figures.accuracy)),
            },
            {
              id: 'top10',
              header: 'Top 10 %',
              numeric: true,
              cell: ({ figures }) =>
                figures?.top10 ? `${percent(figures.top10.precision)} of n = ${figures.top10.n}` : '–',
            },
            {
              id: 'dataSet',
              header: 'Data set',
              cell: ({ dataSet, dataSetId }) => <Link to={`/data-sets/${dataSetId}`}>{dataSet}</Link>,
            },
          ]}
        />
      </Panel>
      <Panel title="Options">
        <DataTable
          caption="Options side by side; a star marks where they differ"
          prefix="options."
          rows={names.map((name) => ({ name }))}
          rowId={({ name }) => name}
          columns={[
            {
              id: 'option',
              header: 'Option',
              cell: ({ name }) => {
                const values = new Set(models.map(({ options }) => JSON.stringify(options[name])));
                return values.size > 1 ? `${name} ★` : name;
              },
            },
            ...models.map(({ id, options }) => ({
              id,
              header: id,
              cell: ({ name }: { name: string }) => JSON.stringify(options[name] ?? null),
            })),
          ]}
        />
      </Panel>
    </>
  );
}
