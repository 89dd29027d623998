/** A model's figures as tables. */
import type { EvaluationView, ModelView } from '../../../api/models/schemas.ts';
import { DataTable } from '../../components/table.tsx';
import { count, figure, percent, withInterval } from '../../format.ts';

export function Evaluations({ evaluations }: { evaluations: readonly EvaluationView[] }) {
  const top = (one: EvaluationView['top10']) => (one ? `${percent(one.precision)} of n = ${one.n}` : '–');
  return (
    <DataTable
      caption="Figures"
      rows={evaluations}
      rowId={({ basis }) => basis}
      columns={[
        { id: 'basis', header: 'Measured on', cell: ({ basis }) => basis },
        { id: 'n', header: 'n', numeric: true, cell: ({ n }) => count(n) },
        { id: 'auc', header: 'ROC-AUC [95 %]', cell: (row) => withInterval(row.rocAuc, row.rocAucCi95) },
        {
          id: 'accuracy',
          header: 'Accuracy',
          numeric: true,
          cell: ({ accuracy }) => (accuracy === null ? '–' : percent(accuracy)),
        },
        { id: 'top10', header: 'Popular in the top 10 %', numeric: true, cell: (row) => top(row.top10) },
        { id: 'top20', header: 'Top 20 %', numeric: true, cell: (row) => top(row.top20) },
        {
          id: 'ece',
          header: 'Calibration error',
          numeric: true,
          cell: ({ ece }) => (ece === null ? '–' : figure(ece)),
        },
        {
          id: 'loss',
          header: 'Log loss, nats',
          numeric: true,
          cell: ({ logLoss }) => (logLoss === null ? '–' : logLoss.toFixed(3)),
        },
      ]}
    />
  );
}

export function Confusion({
  confusion,
  threshold,
}: {
  confusion: NonNullable<ModelView['confusion']>;
  threshold: number;
}) {
  const { truePositive, falsePositive, falseNegative, trueNegative } = confusion;
  const popular = truePositive + falseNegative;
  const others = falsePositive + trueNegative;
  const cell = (value: number, of: number) => `${count(value)}${of > 0 ? ` (${percent(value / of)})` : ''}`;
  return (
    <table className="confusion">
      <caption>Said to be popular from a probability of {figure(threshold)} on</caption>
      <thead>
        <tr>
          <th scope="col">In truth</th>
          <th scope="col" className="numeric">
            said popular
          </th>
          <th scope="col" className="numeric">
            said not
          </th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">popular, n = {count(popular)}</th>
          <td className="numeric">{cell(truePositive, popular)}</td>
          <td className="numeric">{cell(falseNegative, popular)}</td>
        </tr>
        <tr>
          <th scope="row">not, n = {count(others)}</th>
          <td className="numeric">{cell(falsePositive, others)}</td>
          <td className="numeric">{cell(trueNegative, others)}</td>
        </tr>
      </tbody>
    </table>
  );
}
