import type { StageState } from '../../../api/pipeline/schemas.ts';
import { send } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { Status } from '../../components/status.tsx';
import { type Column, DataTable } from '../../components/table.tsx';
import { count } from '../../format.ts';

/** Each stage with its queue's depth; operators pause and resume it. */
export function StagesTable({ stages, operator }: { stages: readonly StageState[]; operator: boolean }) {
  const columns: Column<StageState>[] = [
    {
      id: 'stage',
      header: 'Stage',
      prose: true,
      cell: ({ stage, board, does }) => (
        <>
          <a href={board}>{stage}</a> <small>{does}</small>
        </>
      ),
    },
    ...(['waiting', 'active', 'delayed', 'failed'] as const).map(
      (state): Column<StageState> => ({
        id: state,
        header: state[0]!.toUpperCase() + state.slice(1),
        numeric: true,
        cell: (row) => count(row[state]),
      }),
    ),
    { id: 'workers', header: 'Workers', numeric: true, cell: ({ workers }) => count(workers) },
    {
      id: 'state',
      header: 'State',
      cell: ({ paused, workers, waiting, active }) =>
        paused ? (
          <Status state="paused" />
        ) : workers === 0 && waiting > 0 ? (
          <Status state="gone" word="nobody works" />
        ) : active > 0 ? (
          <Status state="active" word="busy" />
        ) : (
          <Status state="waiting" word="idle" />
        ),
    },
    ...(operator ? [{ id: 'change', header: 'Change', cell: (row: StageState) => <Pause {...row} /> }] : []),
  ];
  return (
    <DataTable
      caption="Stages"
      columns={columns}
      rows={stages}
      rowId={({ stage }) => stage}
      prefix="stages."
    />
  );
}

function Pause({ stage, paused }: StageState) {
  const refreshes = ['/pipeline', '/queues'];
  if (paused) {
    return (
      <Action
        label="Resume"
        name={`Resume the stage ${stage}`}
        kind="primary"
        run={() => send('POST', `/queues/${stage}/resume`)}
        refreshes={refreshes}
      />
    );
  }
  return (
    <Action
      label="Pause"
      name={`Pause the stage ${stage}`}
      confirm={{
        title: `Pause the stage ${stage}?`,
        text: 'On all machines: jobs under way end, none begins, and what arrives waits. Everybody sees that it is paused.',
        yes: 'Pause it',
      }}
      run={() => send('POST', `/queues/${stage}/pause`)}
      refreshes={refreshes}
    />
  );
}
