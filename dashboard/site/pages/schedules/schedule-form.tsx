/** Adds a schedule or changes one; while a pattern is typed it says when it would fire. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import type { ScheduleItem } from '../../../api/schedules/schemas.ts';
import { send } from '../../api.ts';
import { TextField } from '../../components/field.tsx';
import { Trouble } from '../../components/page.tsx';
import { Firings } from './firings.tsx';
import { CrawlFields, FreezeFields, TrainFields } from './step-fields.tsx';
import { allSteps, bodyOf, type Values, valuesOf } from './values.ts';

export function ScheduleForm({ schedule }: { schedule?: ScheduleItem }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Each time it is opened it begins with the schedule as it is then, not as it was when the page came.
  const [opened, setOpened] = useState(0);
  return (
    <>
      <button
        type="button"
        className={schedule ? 'plain' : 'primary'}
        {...(schedule ? { 'aria-label': `Change ${schedule.schedule}` } : {})}
        onClick={() => {
          setOpened(opened + 1);
          dialog.current?.showModal();
        }}
      >
        {schedule ? 'Change' : 'Add a schedule'}
      </button>
      <dialog ref={dialog} aria-labelledby={heading}>
        <h2 id={heading}>{schedule ? `Change ${schedule.schedule}` : 'Add a schedule'}</h2>
        {opened > 0 && (
          <Fields key={opened} {...(schedule ? { schedule } : {})} onClose={() => dialog.current?.close()} />
        )}
      </dialog>
    </>
  );
}

function Fields({ schedule, onClose }: { schedule?: ScheduleItem; onClose: () => void }) {
  const client = useQueryClient();
  const [values, setValues] = useState<Values>(() => valuesOf(schedule));
  const set = (changed: Partial<Values>) => setValues({ ...values, ...changed });
  const { name, cron, zone, steps, deadline } = values;
  const save = useMutation({
    mutationFn: () =>
      schedule
        ? send('PUT', `/schedules/${encodeURIComponent(schedule.schedule)}`, bodyOf(values, schedule))
        : send('POST', '/schedules', { name, ...bodyOf(values, schedule) }),
    onSuccess: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: ['/schedules'] });
    },
  });
  const parts = { values, set };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {!schedule && (
        <TextField label="Name" value={name} onChange={(value) => set({ name: value })} required />
      )}
      <div className="filters">
        <TextField
          label="Pattern"
          value={cron}
          onChange={(value) => set({ cron: value })}
          required
          hint="minute hour day month weekday; 0 3 * * * is 3 at night"
        />
        <TextField
          label="Time zone"
          value={zone}
          onChange={(value) => set({ zone: value })}
          required
          hint="of the pattern"
        />
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
                set({ steps: target.checked ? [...steps, step] : steps.filter((other) => other !== step) })
              }
            />
            {step}{' '}
          </label>
        ))}
      </fieldset>
      {steps.includes('crawl') && <CrawlFields {...parts} />}
      {(steps.includes('freeze') || steps.includes('train')) && <FreezeFields {...parts} />}
      {steps.includes('train') && <TrainFields {...parts} />}
      <TextField
        label="Deadline"
        type="number"
        min={1}
        max={168}
        value={deadline}
        onChange={(value) => set({ deadline: value })}
        hint="hours, for the whole night; what is under way then is cancelled"
        required
      />
      {save.error && <Trouble error={save.error} />}
      <div className="actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={save.isPending || steps.length === 0}>
          {save.isPending ? 'Saving …' : 'Save'}
        </button>
      </div>
    </form>
  );
}
