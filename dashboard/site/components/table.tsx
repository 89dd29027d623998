/**
 * A table whose order and columns stand in the address, so that a link shows what its sender saw. All rows
 * are in the page (the browser's own search finds them): long lists come in parts from the server.
 */
import {
  type ColumnDef,
  columnVisibilityFeature,
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { singular } from '../format.ts';

const features = tableFeatures({
  rowSortingFeature,
  columnVisibilityFeature,
  sortedRowModel: createSortedRowModel(),
});

export interface Column<Row> {
  /** Also its name in the address. */
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** What rows are ordered by here; on a list that the server orders `true`. Undefined: not ordered by it. */
  sortBy?: ((row: Row) => number | string | null) | true;
  /** Right-aligned, in figures of equal width. */
  numeric?: boolean;
  /** Sentences and names of any length: they break into lines, and take the room that is left. */
  prose?: boolean;
  /** Not shown until it is chosen. */
  extra?: boolean;
}

interface Props<Row> {
  /** What the table lists, for screen readers. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowId: (row: Row) => string;
  /** The server orders: the address's `sort` goes into the request. Else the page does. */
  serverSorted?: boolean;
  /** Parameters of two tables on one page must differ: `nights.sort`. */
  prefix?: string;
  /** Whether columns can be chosen. */
  choosable?: boolean;
}

export function DataTable<Row extends object>(props: Props<Row>) {
  const { caption, columns, rows, rowId, serverSorted = false, prefix = '', choosable = false } = props;
  const [search, setSearch] = useSearchParams();
  const sort = search.get(`${prefix}sort`) ?? '';
  const shown = search.get(`${prefix}columns`)?.split(',');
  const visible = Object.fromEntries(
    columns.map(({ id, extra }) => [id, shown ? shown.includes(id) : !extra]),
  );
  const set = (name: 'sort' | 'columns', value: string | null) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === null) next.delete(`${prefix}${name}`);
        else next.set(`${prefix}${name}`, value);
        // Other columns show the same rows; in another order the part that was shown holds others.
        if (name === 'sort') next.delete(`${prefix}offset`);
        return next;
      },
      { replace: true },
    );
  const table = useTable({
    features,
    data: rows as Row[],
    columns: columns.map(
      (column): ColumnDef<typeof features, Row> => ({
        id: column.id,
        accessorFn: (row: Row) =>
          (typeof column.sortBy === 'function' ? column.sortBy(row) : null) ?? undefined,
        enableSorting: column.sortBy !== undefined,
        sortUndefined: 'last',
      }),
    ),
    getRowId: (row: Row) => rowId(row),
    manualSorting: serverSorted,
    enableSortingRemoval: false,
    state: {
      sorting: sort ? [{ id: sort.replace(/^-/, ''), desc: sort.startsWith('-') }] : [],
      columnVisibility: visible,
    },
  });
  const own = new Map(columns.map((column) => [column.id, column]));
  const look = (id: string) => {
    const { numeric, prose } = own.get(id)!;
    return numeric ? 'numeric' : prose ? 'prose' : '';
  };
  return (
    <>
      {choosable && (
        <details className="chooser">
          <summary>Columns</summary>
          <fieldset>
            <legend className="hidden">Columns shown</legend>
            {columns.map(({ id, header }) => (
              <label key={id}>
                <input
                  type="checkbox"
                  checked={visible[id] ?? false}
                  onChange={({ target }) => {
                    const next = columns.filter((column) =>
                      column.id === id ? target.checked : visible[column.id],
                    );
                    set('columns', next.map((column) => column.id).join(','));
                  }}
                />
                {header}
              </label>
            ))}
          </fieldset>
        </details>
      )}
      <Order {...{ columns, sort }} onChange={(order) => set('sort', order)} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label={caption}>
        <table>
          <caption className="hidden">{caption}</caption>
          <thead>
            {table.getHeaderGroups().map((group) => (
              <tr key={group.id}>
                {group.headers.map(({ id }) => {
                  const column = own.get(id)!;
                  const direction =
                    sort.replace(/^-/, '') !== id ? null : sort.startsWith('-') ? 'descending' : 'ascending';
                  return (
                    <th key={id} scope="col" className={look(id)} aria-sort={direction ?? 'none'}>
                      {column.sortBy === undefined ? (
                        column.header
                      ) : (
                        <button
                          type="button"
                          className="sorter"
                          onClick={() => set('sort', direction === 'descending' ? id : `-${id}`)}
                        >
                          {column.header}
                          <span aria-hidden="true">
                            {direction === null ? ' ↕' : direction === 'ascending' ? ' ↑' : ' ↓'}
                          </span>
                        </button>
                      )}
                    </th>
                  );
                })}
              </tr>
            ))}
          </thead>
          <tbody>
            {table.getRowModel().rows.map((row) => (
              <tr key={row.id}>
                {row.getVisibleCells().map(({ column }) => (
                  <td key={column.id} className={look(column.id)} data-label={own.get(column.id)!.header}>
                    {own.get(column.id)!.cell(row.original)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

/** The order of a table on a narrow screen, where rows are cards and have no headings to press. */
function Order<Row>(props: {
  columns: readonly Column<Row>[];
  sort: string;
  onChange: (sort: string | null) => void;
}) {
  const sortable = props.columns.filter(({ sortBy }) => sortBy !== undefined);
  if (sortable.length === 0) return null;
  return (
    <label className="order">
      Order{' '}
      <select value={props.sort} onChange={({ target }) => props.onChange(target.value || null)}>
        <option value="">as it comes</option>
        {sortable.flatMap(({ id, header }) => [
          <option key={id} value={id}>{`${header} ↑`}</option>,
          <option key={`-${id}`} value={`-${id}`}>{`${header} ↓`}</option>,
        ])}
      </select>
    </label>
  );
}

/** Which part of a list that the server pages is shown, and how to get to the others. */
export function Pager(props: {
  total: number;
  offset: number;
  limit: number;
  noun: string;
  prefix?: string;
  /** A total as large as this stands for as many and more. */
  most?: number;
}) {
  const { total, offset, limit, noun, prefix = '', most } = props;
  const [, setSearch] = useSearchParams();
  const go = (to: number) =>
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (to <= 0) next.delete(`${prefix}offset`);
      else next.set(`${prefix}offset`, String(to));
      return next;
    });
  const last = Math.max(0, Math.floor((total - 1) / limit) * limit);
  const format = new Intl.NumberFormat('en');
  if (total <= limit && offset === 0) {
    return (
      <p className="pager">
        {total === 0 ? `no ${noun}` : `${format.format(total)} ${total === 1 ? singular(noun) : noun}`}
      </p>
    );
  }
  return (
    <nav className="pager" aria-label={`Pages of ${noun}`}>
      <span>
        {total === 0
          ? `no ${noun}`
          : `${format.format(offset + 1)} to ${format.format(Math.min(total, offset + limit))} of ${most !== undefined && total >= most ? 'at least ' : ''}${format.format(total)} ${noun}`}
      </span>
      <button type="button" disabled={offset === 0} onClick={() => go(0)}>
        First
      </button>
      <button type="button" disabled={offset === 0} onClick={() => go(offset - limit)}>
        Previous
      </button>
      <button type="button" disabled={offset + limit >= total} onClick={() => go(offset + limit)}>
        Next
      </button>
      <button type="button" disabled={offset >= last} onClick={() => go(last)}>
        Last
      </button>
    </nav>
  );
}
