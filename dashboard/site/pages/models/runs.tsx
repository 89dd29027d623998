import { Link } from 'react-router';
import type { RunView } from '../../../api/models/schemas.ts';
import { IdLink } from '../../components/id-link.tsx';
import { DataTable } from '../../components/table.tsx';
import { figure, moment } from '../../format.ts';

/** Training runs, each with its decision on the champion. */
export function Runs({ runs }: { runs: readonly RunView[] }) {
  return (
    <DataTable
      caption="Training runs"
      prefix="runs."
      rows={runs}
      rowId={({ run }) => run}
      columns={[
        { id: 'run', header: 'Run', cell: ({ run }) => <IdLink id={run} /> },
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
        { id: 'decision', header: 'Decision', prose: true, cell: ({ decision }) => decision ?? 'under way' },
        {
          id: 'started',
          header: 'Started',
          cell: (row) => moment(row.startedAt),
        },
      ]}
    />
  );
}
