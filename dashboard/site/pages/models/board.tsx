/** The leaderboard: models in parts, ordered by the server, live while they train. */
import type { Leaderboard, ModelRow, ModelsSnapshot } from '../../../api/models/schemas.ts';
import { useMe } from '../../api.ts';
import { DataTable, Pager } from '../../components/table.tsx';
import { useEvent } from '../../events.ts';
import { leaderboardColumns } from './leaderboard.tsx';

interface Props {
  board: Leaderboard;
  chosen: readonly string[];
  choose: (id: string, on: boolean) => void;
  /** Where another table is on the page. */
  prefix?: string;
}

export function Board({ board, chosen, choose, prefix = '' }: Props) {
  const operator = useMe().data?.role === 'operator';
  const training = useEvent<ModelsSnapshot>('models')?.value.training ?? [];
  const live = new Map(training.map(({ id, progress }) => [id, progress]));
  const rows = board.models.map(
    (row): ModelRow => (live.has(row.id) ? { ...row, progress: live.get(row.id) ?? null } : row),
  );
  const { total, offset, limit } = board;
  return (
    <>
      <DataTable
        caption="Models"
        rows={rows}
        rowId={({ id }) => id}
        columns={leaderboardColumns(operator, chosen, choose)}
        prefix={prefix}
        serverSorted
        choosable
      />
      <Pager {...{ total, offset, limit, prefix }} noun="models" />
    </>
  );
}
