/** What each step of a night is asked to do. */
import { SelectField, TextField } from '../../components/field.tsx';
import { modelChoices } from '../models/choices.ts';
import type { Part } from './values.ts';

export function CrawlFields({ values, set }: Part) {
  return (
    <div className="filters">
      <TextField label="Genre" value={values.genre} onChange={(genre) => set({ genre })} required />
      <TextField
        label="Years"
        value={values.years}
        onChange={(years) => set({ years })}
        placeholder="the last three"
        hint="e.g. 2019-2021"
      />
      <TextField label="Market" value={values.market} onChange={(market) => set({ market })} required />
      <TextField
        label="Limit"
        type="number"
        min={1}
        value={values.limit}
        onChange={(limit) => set({ limit })}
        placeholder="all"
        hint="tracks"
      />
    </div>
  );
}

export function FreezeFields({ values, set }: Part) {
  return (
    <TextField
      label="Popular from"
      value={values.threshold}
      onChange={(threshold) => set({ threshold })}
      hint="median (of the training side), or a popularity of 0 to 100"
      required
    />
  );
}

const choices = [['auto', 'what suits catalogue and machine'], ...modelChoices] as const;

export function TrainFields({ values, set }: Part) {
  const { models, folds, preset, always } = values;
  const known = choices.some(([value]) => value === models);
  return (
    <>
      <div className="filters">
        <SelectField
          label="Models"
          value={models}
          onChange={(chosen) => set({ models: chosen })}
          options={known ? choices : [...choices, [models, models]]}
        />
        <TextField
          label="Folds"
          type="number"
          min={2}
          max={50}
          value={folds}
          onChange={(typed) => set({ folds: typed })}
          placeholder="as suits"
          hint="of a cross-validation"
        />
        <TextField
          label="Preset of networks"
          value={preset}
          onChange={(typed) => set({ preset: typed })}
          placeholder="as suits"
          hint="original or small"
        />
      </div>
      <label>
        <input type="checkbox" checked={always} onChange={({ target }) => set({ always: target.checked })} />
        train also where the data set has been trained on before
      </label>
    </>
  );
}
