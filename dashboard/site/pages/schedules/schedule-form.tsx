/** Adds a schedule or changes one; while a pattern is typed it says when it would fire. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import type { ScheduleItem } from '../../../api/schedules/schemas.ts';
import { send } from '../../api.ts';
import { SelectField, TextField } from '../../components/field.tsx';
import { Trouble } from '../../components/page.tsx';
import { inZone, timeZone } from '../../format.ts';

const allSteps = ['crawl', 'freeze', 'train'] as const;

interface Options {
  crawl?: { genre?: string; years?: string | null; market?: string; limit?: number | null } | null;
  freeze?: object;
  train?: { models?: string; preset?: string | null; crossValidate?: number | null; always?: boolean } | null;
  deadlineHours?: number;
}

export function ScheduleForm({ schedule }: { schedule?: ScheduleItem }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const client = useQueryClient();
  const before = (schedule?.options ?? {}) as Options;
  const [name, setName] = useState(schedule?.schedule ?? 'nightly');
  const [cron, setCron] = useState(schedule?.cron ?? '0 3 * * *');
  const [zone, setZone] = useState(schedule?.timezone ?? timeZone);
  const [steps, setSteps] = useState<readonly string[]>(schedule?.steps ?? allSteps);
  const [genre, setGenre] = useState(before.crawl?.genre ?? 'hip-hop');
  const [years, setYears] = useState(before.crawl?.years ?? '');
  const [market, setMarket] = useState(before.crawl?.market ?? 'US');
  const [models, setModels] = useState(before.train?.models ?? 'auto');
  const [deadline, setDeadline] = useState(String(before.deadlineHours ?? 12));
  const save = useMutation({
    mutationFn: () => {
      const body = {
        ...{ cron, timezone: zone, steps: allSteps.filter((step) => steps.includes(step)) },
        crawl: { genre, years: years === '' ? null : years, market, limit: before.crawl?.limit ?? null },
        ...(before.freeze ? { freeze: before.freeze } : {}),
        train: {
          models,
          preset: before.train?.preset ?? null,
          crossValidate: before.train?.crossValidate ?? null,
          always: before.train?.always ?? false,
        },
        deadlineHours: Number(deadline),
      };
      return schedule
        ? send('PUT', `/schedules/${encodeURIComponent(schedule.schedule)}`, body)
        : send('POST', '/schedules', { name, ...body });
    },
    onSuccess: async () => {
      dialog.current?.close();
      await client.invalidateQueries({ queryKey: ['/schedules'] });
    },
  });
  return (
    <>
      <button
        type="button"
        className={schedule ? 'plain' : 'primary'}
        {...(schedule ? { 'aria-label': `Change ${schedule.schedule}` } : {})}
        onClick={() => {
          save.reset();
          dialog.current?.showModal();
        }}
      >
        {schedule ? 'Change' : 'Add a schedule'}
      </button>
      <dialog ref={dialog} aria-labelledby={heading}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate();
          }}
        >
          <h2 id={heading}>{schedule ? `Change ${schedule.schedule}` : 'Add a schedule'}</h2>
          {!schedule && <TextField label="Name" value={name} onChange={setName} required />}
          <div className="filters">
            <TextField
              label="Pattern"
              value={cron}
              onChange={setCron}
              required
              hint="minute hour day month weekday; 0 3 * * * is 3 at night"
            />
            <TextField label="Time zone" value={zone} onChange={setZone} required />
          </div>
          <Firings cron={cron} zone={zone} />
          <fieldset>
            <legend>Steps, one after the other</legend>
            {allSteps.map((step) => (
              <label key={step}>
                <input
                  type="checkbox"
                  checked={steps.includes(step)}
                  onChange={({ target }) =>
                    setSteps(target.checked ? [...steps, step] : steps.filter((other) => other !== step))
                  }
                />
                {step}{' '}
              </label>
            ))}
          </fieldset>
          {steps.includes('crawl') && (
            <div className="filters">
              <TextField label="Genre" value={genre} onChange={setGenre} required />
              <TextField
                label="Years"
                value={years}
                onChange={setYears}
                placeholder="the last three"
                hint="e.g. 2019-2021"
              />
              <TextField label="Market" value={market} onChange={setMarket} required />
            </div>
          )}
          {steps.includes('train') && (
            <SelectField
              label="Models"
              value={models}
              onChange={setModels}
              options={[
                ['auto', 'what suits catalogue and machine'],
                ['dummy,logistic', 'dummy and logistic'],
                ['dummy,logistic,forest', 'dummy, logistic and forest'],
                ['dummy,logistic,forest,musicnn,stack', 'all but networks'],
                ['dummy,logistic,crnn', 'dummy, logistic and crnn'],
                ...(['auto', ''].includes(models) ? [] : [[models, models] as const]),
              ]}
            />
          )}
          <TextField
            label="Deadline"
            type="number"
            min={1}
            max={168}
            value={deadline}
            onChange={setDeadline}
            hint="hours, for the whole night; what is under way then is cancelled"
            required
          />
          {save.error && <Trouble error={save.error} />}
          <div className="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" className="primary" disabled={save.isPending || steps.length === 0}>
              {save.isPending ? 'Saving …' : 'Save'}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

/** The next times of a pattern, or what is wrong with it. */
function Firings({ cron, zone }: { cron: string; zone: string }) {
  const firings = useQuery({
    queryKey: ['firings', cron, zone],
    queryFn: () => send<{ next: string[] }>('POST', '/schedules/preview', { cron, timezone: zone }),
    retry: false,
    staleTime: 60_000,
  });
  return (
    <p role="status">
      {firings.error ? (
        <span className="status bad">✕ {firings.error.message}</span>
      ) : (
        <small>
          {firings.data
            ? firings.data.next.length === 0
              ? 'It never fires.'
              : `Next: ${firings.data.next
                  .slice(0, 3)
                  .map((at) => inZone(at, zone))
                  .join('; ')}`
            : ' '}
        </small>
      )}
    </p>
  );
}
