/** The registry: who is champion, who might be, and what they learned from. */
import type { DataSetRow, Leaderboard } from '../../../api/models/schemas.ts';
import { useApi, useMe } from '../../api.ts';
import { useAddressFilter } from '../../components/address-filter.ts';
import { SelectField } from '../../components/field.tsx';
import { useList } from '../../components/list.ts';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { SavedViews } from '../../components/saved-views.tsx';
import { count } from '../../format.ts';
import { Board } from './board.tsx';
import { CompareChosen, useChosen } from './compare-chosen.tsx';
import { ChampionsSoFar, DataSets, TrainingRuns } from './lists.tsx';
import { Rollback } from './promotion.tsx';
import { TrainForm } from './train-form.tsx';

/** Filters of the leaderboard, as they stand in the address. */
const filters = ['name', 'dataSet', 'backend', 'state'] as const;
const states = ['queued', 'training', 'ready', 'failed', 'cancelled'];

export default function Models() {
  const [search, set] = useAddressFilter();
  const operator = useMe().data?.role === 'operator';
  const nullTests = search.get('nullTests') === 'true';
  const board = useList<Leaderboard>('/models', {
    ...{ nullTests, sort: search.get('sort') },
    ...Object.fromEntries(filters.map((name) => [name, search.get(name)])),
  });
  const dataSets = useApi<{ total: number; items: DataSetRow[] }>('/data-sets', { limit: 200 });
  const [chosen, choose] = useChosen();
  const filtered = filters.some((name) => search.get(name));
  const choice = (
    name: (typeof filters)[number],
    label: string,
    values: readonly (readonly [string, string])[],
  ) => (
    <SelectField
      label={label}
      value={search.get(name) ?? ''}
      onChange={(value) => set(name, value)}
      options={[['', 'any'], ...values]}
    />
  );
  const same = (values: readonly string[] = []) => values.map((value) => [value, value] as const);
  return (
    <Page
      title="Models"
      lead="Judged on songs by artists that they never heard. The champion scores songs; a challenger replaces it when it is better beyond noise."
      actions={
        <>
          <SavedViews />
          {operator && dataSets.data && dataSets.data.total > 0 && (
            <TrainForm dataSets={dataSets.data.items} />
          )}
        </>
      }
    >
      <Panel
        title="Leaderboard"
        actions={
          <>
            <CompareChosen chosen={chosen} />
            {operator && board.data?.champion && <Rollback />}
          </>
        }
      >
        <div className="filters">
          {choice('name', 'Name', same(board.data?.choices.names))}
          {choice(
            'dataSet',
            'Data set',
            (dataSets.data?.items ?? []).map(({ id, name }) => [id, name] as const),
          )}
          {choice('backend', 'Back end', same(board.data?.choices.backends))}
          {choice('state', 'State', same(states))}
          <label>
            <input
              type="checkbox"
              checked={nullTests}
              onChange={({ target }) => set('nullTests', target.checked ? 'true' : '')}
            />
            also null tests, which learned from permuted labels
            {(board.data?.hiddenNullTests ?? 0) > 0 && ` (${count(board.data!.hiddenNullTests)} hidden)`}
          </label>
        </div>
        <Loaded query={board}>
          {(found) =>
            found.total > 0 ? (
              <Board board={found} chosen={chosen} choose={choose} />
            ) : filtered ? (
              <Empty title="No model fits">Loosen the filter above.</Empty>
            ) : (
              <Empty title="No model is trained yet">
                {operator ? (
                  <>
                    Take in a catalogue (<code>hiphop ingest catalogue.csv</code>, or a crawl), then{' '}
                    <code>hiphop train</code>.
                  </>
                ) : (
                  'An operator takes in a catalogue, and trains models on it.'
                )}
              </Empty>
            )
          }
        </Loaded>
      </Panel>
      <div className="grid">
        <DataSets />
        <ChampionsSoFar />
      </div>
      <TrainingRuns />
    </Page>
  );
}
