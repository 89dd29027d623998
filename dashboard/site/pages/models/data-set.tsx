/** A frozen data set: its sides, its threshold, and what was trained on it. */
import { Link, useParams } from 'react-router';
import type { DataSetView } from '../../../api/models/schemas.ts';
import { useApi } from '../../api.ts';
import { Fact, Facts, Loaded, Page, Panel } from '../../components/page.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, moment, percent } from '../../format.ts';
import { TrainingRuns } from './lists.tsx';

export default function DataSet() {
  const { dataSet: id } = useParams();
  const found = useApi<DataSetView>(`/data-sets/${id}`);
  return (
    <Page
      title={found.data?.name ?? `Data set ${id}`}
      lead="Frozen: it never changes. No artist, recording or identical sound is on two sides of it."
    >
      <Loaded query={found}>
        {(set) => (
          <>
            <Panel title="Sides">
              <DataTable
                caption="Sides"
                rows={(['train', 'test', 'holdout'] as const).map((name) => ({ name, ...set.sides[name] }))}
                rowId={({ name }) => name}
                columns={[
                  {
                    id: 'side',
                    header: 'Side',
                    cell: ({ name }) => <Link to={`/tracks?dataSet=${set.id}&split=${name}`}>{name}</Link>,
                  },
                  { id: 'tracks', header: 'Tracks', numeric: true, cell: ({ tracks }) => count(tracks) },
                  {
                    id: 'popular',
                    header: 'Popular',
                    numeric: true,
                    cell: ({ popular, tracks }) =>
                      `${count(popular)}${tracks > 0 ? ` (${percent(popular / tracks)})` : ''}`,
                  },
                ]}
              />
            </Panel>
            <Panel title="Facts">
              <Facts>
                <Fact name="Tracks">{count(set.tracks)}</Fact>
                <Fact name="Groups of one artist or recording">{count(set.groups)}</Fact>
                <Fact name="Popular from a popularity of">
                  {set.threshold.toFixed(1)} (
                  {set.thresholdRule === 'median' ? 'median of train' : 'as asked'})
                </Fact>
                <Fact name="Seed of the split">{set.seed}</Fact>
                <Fact name="Frozen">{moment(set.createdAt)}</Fact>
                <Fact name="Content">
                  <code>{set.contentHash.slice(0, 16)}</code>
                </Fact>
                <Fact name="Spectrogram parameters">
                  <code>{set.parametersHash}</code>
                </Fact>
                <Fact name="Plots">
                  <Link to={`/tracks/overview?dataSet=${set.id}`}>
                    popularity, releases, durations, artists
                  </Link>
                </Fact>
              </Facts>
            </Panel>
            <TrainingRuns dataSet={set.id} title="Trained on it" />
          </>
        )}
      </Loaded>
    </Page>
  );
}
