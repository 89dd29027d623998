import { Link } from 'react-router';
import type { NightItem } from '../../../api/schedules/schemas.ts';
import { Status } from '../../components/status.tsx';
import { DataTable } from '../../components/table.tsx';
import { duration, moment } from '../../format.ts';

/** Nights, each with its steps' outcomes and times. */
export function NightsTable({ nights }: { nights: readonly NightItem[] }) {
  return (
    <DataTable
      caption="Nights"
      prefix="nights."
      rows={nights}
      rowId={({ night }) => night}
      columns={[
        {
          id: 'night',
          header: 'Night',
          cell: ({ night }) => <Link to={`/schedules/nights/${night}`}>{night}</Link>,
        },
        { id: 'schedule', header: 'Schedule', cell: ({ schedule }) => schedule },
        { id: 'state', header: 'State', cell: ({ state }) => <Status state={state} /> },
        {
          id: 'steps',
          header: 'Steps',
          cell: ({ steps }) => (
            <ul className="plain">
              {steps.map(({ step, state, seconds }) => (
                <li key={step}>
                  <Status state={state} word={`${step}: ${state}`} />
                  {seconds !== null && <small> in {duration(seconds)}</small>}
                </li>
              ))}
            </ul>
          ),
        },
        {
          id: 'started',
          header: 'Started',
          cell: (row) => moment(row.startedAt),
        },
        {
          id: 'took',
          header: 'Took',
          numeric: true,
          cell: ({ seconds }) => (seconds === null ? 'under way' : duration(seconds)),
        },
        { id: 'reason', header: 'Why', prose: true, cell: ({ reason }) => reason },
      ]}
    />
  );
}
