/** Ninety days of throughput. */
import { useSearchParams } from 'react-router';
import type { History as View } from '../../../api/history/schemas.ts';
import { useApi } from '../../api.ts';
import { Chart } from '../../components/chart.tsx';
import { SelectField } from '../../components/field.tsx';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, counted, duration, percent } from '../../format.ts';

const spans = [
  ['24h', 'the last 24 hours'],
  ['7d', 'the last 7 days'],
  ['30d', 'the last 30 days'],
  ['90d', 'the last 90 days'],
] as const;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

export default function History() {
  const [search, setSearch] = useSearchParams();
  const span = search.get('span') ?? '24h';
  const history = useApi<View>('/history', { span }, { refetchInterval: 30_000 });
  return (
    <Page
      title="History"
      lead="What all workers on all machines have done, by the hour; kept for 90 days."
      actions={
        <SelectField
          label="Over"
          value={span}
          onChange={(value) => setSearch(value === '24h' ? {} : { span: value })}
          options={spans}
        />
      }
    >
      <Loaded query={history}>{(view) => <Everything view={view} />}</Loaded>
    </Page>
  );
}

function Everything({ view }: { view: View }) {
  const { stages, ready, requests, waits, unit } = view;
  const active = stages.filter(({ done, failed }) => sum(done) + sum(failed) > 0);
  if (active.length === 0 && requests.length === 0) {
    return (
      <Empty title="Nothing has been done in this time">
        When workers run, their throughput, failures and times stand here.
      </Empty>
    );
  }
  return (
    <>
      <div className="grid">
        <Panel title={`Tracks made ready: ${count(sum(ready))}`}>
          <Series view={view} rows={[{ name: `tracks ready in a ${unit}`, values: ready }]} />
        </Panel>
        <Panel title={`Jobs that ended well: ${count(sum(active.map(({ done }) => sum(done))))}`}>
          <Series
            view={view}
            rows={active.map(({ stage, done }) => ({ name: stage, values: done }))}
            stacked
          />
        </Panel>
        <Panel title={`Runs that failed: ${count(sum(active.map(({ failed }) => sum(failed))))}`}>
          <Series
            view={view}
            rows={active.map(({ stage, failed }) => ({ name: stage, values: failed }))}
            stacked
          />
        </Panel>
        <Panel title="How long 95 of 100 runs take at most, in seconds">
          <Series
            view={view}
            rows={active.map(({ stage, p95Seconds }) => ({ name: stage, values: p95Seconds }))}
            lines
          />
        </Panel>
        {requests.length > 0 && (
          <Panel title={`Requests to the outside: ${count(sum(requests.map(({ counts }) => sum(counts))))}`}>
            <Series
              view={view}
              rows={requests.map(({ service, status, counts }) => ({
                name: `${service} ${status}`,
                values: counts,
              }))}
              stacked
            />
          </Panel>
        )}
      </div>
      <Panel title="In figures">
        <DataTable
          caption="Stages over this time"
          rows={active}
          rowId={({ stage }) => stage}
          columns={[
            { id: 'stage', header: 'Stage', cell: ({ stage }) => stage },
            {
              id: 'done',
              header: 'Done',
              numeric: true,
              sortBy: (row) => sum(row.done),
              cell: (row) => count(sum(row.done)),
            },
            {
              id: 'failed',
              header: 'Failed',
              numeric: true,
              sortBy: (row) => sum(row.failed),
              cell: (row) => {
                const all = sum(row.done) + sum(row.failed);
                return `${count(sum(row.failed))}${all > 0 ? ` (${percent(sum(row.failed) / all)})` : ''}`;
              },
            },
            {
              id: 'mean',
              header: 'Mean time, newest',
              numeric: true,
              cell: ({ meanSeconds }) => {
                const newest = meanSeconds.findLast((value) => value !== null);
                return newest == null
                  ? '–'
                  : newest < 1
                    ? `${Math.round(1000 * newest)} ms`
                    : duration(newest);
              },
            },
          ]}
        />
        {waits.map(({ service, counts, seconds }) => (
          <p key={service}>
            {service} asked {counted(sum(counts), 'time')} to be left alone, {duration(sum(seconds))} in all.
          </p>
        ))}
      </Panel>
    </>
  );
}

interface SeriesProps {
  view: View;
  rows: readonly { name: string; values: readonly (number | null)[] }[];
  stacked?: boolean;
  lines?: boolean;
}

function Series({ view, rows, stacked = false, lines = false }: SeriesProps) {
  const newest = rows.map(
    ({ name, values }) => `${name}: ${values.findLast((value) => value !== null) ?? 0}`,
  );
  return (
    <Chart
      summary={`By ${view.unit}; the newest: ${newest.join(', ')}`}
      height={240}
      option={{
        grid: { left: 50, right: 16, top: 40, bottom: 28 },
        legend: { top: 0, type: 'scroll' },
        tooltip: { trigger: 'axis' },
        xAxis: { type: 'time' },
        yAxis: { type: 'value' },
        series: rows.map(({ name, values }) => ({
          ...{ type: lines ? 'line' : 'bar', name, connectNulls: false },
          ...(stacked ? { stack: 'all' } : {}),
          data: values.map((value, index) => [view.spans[index], value]),
        })),
      }}
    />
  );
}
