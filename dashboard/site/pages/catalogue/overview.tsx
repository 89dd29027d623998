/** What the catalogue looks like: what one would plot first in a notebook. */
import type { EChartsCoreOption } from 'echarts/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Overview as View } from '../../../api/catalogue/schemas.ts';
import type { DataSetRow } from '../../../api/models/schemas.ts';
import { useApi } from '../../api.ts';
import { Ago } from '../../components/ago.tsx';
import { Chart } from '../../components/chart.tsx';
import { SelectField } from '../../components/field.tsx';
import { Loaded, Page, Panel } from '../../components/page.tsx';
import { count, percent } from '../../format.ts';
import { EmptyCatalogue } from './empty-catalogue.tsx';
import { histogramOption } from './histogram.ts';

export default function Overview() {
  const [search, setSearch] = useSearchParams();
  const dataSet = search.get('dataSet');
  const overview = useApi<View>('/catalogue/overview', { dataSet });
  const dataSets = useApi<{ items: DataSetRow[] }>('/data-sets', { limit: 200 });
  const choices = (dataSets.data?.items ?? []).map(({ id, name }) => [id, name] as const);
  // An old one may not be among the newest.
  if (dataSet && !choices.some(([id]) => id === dataSet)) {
    choices.push([dataSet, overview.data?.of ?? dataSet]);
  }
  return (
    <Page
      title="What the catalogue looks like"
      lead={
        <>
          Of <Link to="/tracks">all tracks</Link>, or of one data set.
          {overview.data && (
            <>
              {' '}
              Counted <Ago at={overview.data.asOf} />.
            </>
          )}
        </>
      }
      actions={
        <SelectField
          label="Of"
          value={dataSet ?? ''}
          onChange={(value) => setSearch(value === '' ? {} : { dataSet: value })}
          options={[['', 'the whole catalogue'], ...choices]}
        />
      }
    >
      <Loaded query={overview}>
        {(view) => (view.tracks === 0 ? <EmptyCatalogue /> : <Plots view={view} />)}
      </Loaded>
    </Page>
  );
}

function Plots({ view }: { view: View }) {
  const { popularity, releases, previews, missing, durations, artists, genres, sources, tracks } = view;
  const audio = previews.map(({ state, count: n }) => ({ name: state, count: n }));
  return (
    <div className="grid">
      <Plot title={`Popularity (n = ${count(popularity.n)} tracks with a reading)`}>
        <Bars
          rows={popularity.bins.map(({ from, to, count: n }) => ({ name: `${from}–${to}`, count: n }))}
          what="tracks by popularity"
          option={histogramOption(popularity.bins, popularity.threshold)}
        />
        {popularity.threshold !== null && (
          <small>
            The line: popular is from {popularity.threshold.toFixed(1)} on, in{' '}
            {view.of === 'catalogue' ? 'the newest data set' : view.of}.
          </small>
        )}
      </Plot>
      <Plot title={`Releases by month (n = ${count(releases.n)} with a date)`}>
        <Bars
          rows={releases.months.map(({ month, count: n }) => ({ name: month, count: n }))}
          what="releases by month"
        />
      </Plot>
      <Plot title={`Audio (n = ${count(tracks)} tracks)`}>
        <Bars rows={audio} what="tracks by state of their audio" />
        {missing.length > 0 && (
          <>
            <h3>Why it is missing</h3>
            <ul>
              {missing.map(({ reason, count: n }) => (
                <li key={reason}>
                  {count(n)} × {reason}
                </li>
              ))}
            </ul>
          </>
        )}
      </Plot>
      <Plot title={`Length (n = ${count(durations.n)} with a length; 10 minutes and more in the last)`}>
        <Bars
          rows={durations.bins.map(({ from, to, count: n }) => ({ name: `${from}–${to} s`, count: n }))}
          what="tracks by length"
        />
      </Plot>
      <Plot title={`Artists most represented (of n = ${count(tracks)} tracks)`}>
        <Bars rows={artists} what="tracks by artist" sideways />
      </Plot>
      <Plot title={`Genres and sources (n = ${count(tracks)} tracks)`}>
        <Bars
          rows={genres.map(({ name, count: n }) => ({ name: name ?? 'unknown', count: n }))}
          what="tracks by genre"
          sideways
        />
        <ul className="plain">
          {sources.map(({ name, count: n }) => (
            <li key={name}>
              {name}: {count(n)} ({percent(n / tracks)})
            </li>
          ))}
        </ul>
      </Plot>
    </div>
  );
}

/** A panel whose chart is drawn when it is scrolled to: all at once would stutter. */
function Plot({ title, children }: { title: string; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watching = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) setSeen(true);
      },
      { rootMargin: '200px' },
    );
    watching.observe(place.current!);
    return () => watching.disconnect();
  }, []);
  return (
    <Panel title={title}>
      <div ref={place} className="plot">
        {seen && children}
      </div>
    </Panel>
  );
}

interface BarsProps {
  rows: readonly { name: string; count: number }[];
  what: string;
  /** From left to right, names beside the bars. */
  sideways?: boolean;
  /** Another drawing of the same rows. */
  option?: EChartsCoreOption;
}

function Bars({ rows, what, sideways = false, option }: BarsProps) {
  if (rows.every(({ count: n }) => n === 0)) return <p>Nothing is known of it yet.</p>;
  const ordered = sideways ? [...rows].reverse() : rows;
  const names = { type: 'category', data: ordered.map(({ name }) => name) };
  const values = { type: 'value', minInterval: 1 };
  return (
    <>
      <Chart
        summary={`${what}: ${rows
          .slice(0, 12)
          .map(({ name, count: n }) => `${name} ${n}`)
          .join(', ')}`}
        height={sideways ? Math.max(160, 22 * rows.length) : 240}
        option={
          option ?? {
            grid: { left: sideways ? 130 : 50, right: 16, top: 12, bottom: 30 },
            tooltip: { trigger: 'axis' },
            xAxis: sideways ? values : names,
            yAxis: sideways ? names : values,
            series: [{ type: 'bar', name: 'tracks', data: ordered.map(({ count: n }) => n) }],
          }
        }
      />
      <details>
        <summary>As a table</summary>
        <table>
          <caption className="hidden">{what}</caption>
          <tbody>
            {rows.map(({ name, count: n }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="numeric">{count(n)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
