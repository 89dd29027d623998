/** Starts a training on a frozen data set. */
import { useState } from 'react';
import type { DataSetRow } from '../../../api/models/schemas.ts';
import { send } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { counted } from '../../format.ts';
import { modelChoices } from './choices.ts';

const choices = [['', 'what suits the data set'], ...modelChoices] as const;

export function TrainForm({ dataSets }: { dataSets: readonly DataSetRow[] }) {
  const [dataSet, setDataSet] = useState(dataSets[0]!.id);
  const [models, setModels] = useState('');
  const [seed, setSeed] = useState('1');
  const [shuffled, setShuffled] = useState(false);
  const [once, again] = useOnce();
  return (
    <Action
      label="Train"
      kind="primary"
      confirm={{
        title: 'Train models',
        text: 'They are judged on songs that they never heard; the best challenges the champion.',
        yes: 'Train them',
      }}
      fields={
        <>
          <SelectField
            label="Data set"
            value={dataSet}
            onChange={setDataSet}
            options={dataSets.map(
              ({ id, name, tracks }) => [id, `${name} (${counted(tracks, 'track')})`] as const,
            )}
          />
          <SelectField label="Models" value={models} onChange={setModels} options={choices} />
          <TextField label="Seed" type="number" min={0} value={seed} onChange={setSeed} />
          <label>
            <input
              type="checkbox"
              checked={shuffled}
              onChange={({ target }) => setShuffled(target.checked)}
            />
            permute the labels: the null test, which must find nothing
          </label>
        </>
      }
      run={() =>
        send(
          'POST',
          '/training-runs',
          {
            dataSet,
            models: models === '' ? null : models.split(','),
            seed: Number(seed),
            shuffleLabels: shuffled,
          },
          once,
        )
      }
      onDone={again}
      refreshes={['/models', '/training-runs']}
    />
  );
}
