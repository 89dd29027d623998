/** Labelled inputs. */
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';

/** What is typed counts when nothing more is typed for so long, in milliseconds. */
const typingMs = 250;

interface FieldProps {
  label: string;
  /** What is expected, below the input. */
  hint?: string;
  children: (id: string, describedBy: string | undefined) => ReactNode;
}

export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id, hint ? hintId : undefined)}
      {hint && <small id={hintId}>{hint}</small>}
    </div>
  );
}

interface TextProps {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
  type?: 'text' | 'number' | 'search' | 'password' | 'date';
  required?: boolean;
  placeholder?: string;
  autoComplete?: string;
  min?: number;
  max?: number;
}

export function TextField({ label, hint, value, onChange, ...input }: TextProps) {
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      {(id, describedBy) => (
        <input
          {...input}
          id={id}
          aria-describedby={describedBy}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </Field>
  );
}

interface SelectProps {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly (readonly [value: string, label: string])[];
}

export function SelectField({ label, hint, value, onChange, options }: SelectProps) {
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      {(id, describedBy) => (
        <select
          id={id}
          aria-describedby={describedBy}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Text that counts when nothing more is typed. */
export function TypedField(props: {
  label: string;
  hint?: string;
  number?: boolean;
  value: string;
  onSettled: (value: string) => void;
}) {
  const { label, hint, number = false, value, onSettled } = props;
  const [text, setText] = useState(value);
  /** What both sides know. Words that were sent come back as `value` when more may have been typed. */
  const settled = useRef(value);
  useEffect(() => {
    if (value === settled.current) return;
    settled.current = value;
    setText(value);
  }, [value]);
  useEffect(() => {
    if (text === settled.current) return;
    const timer = setTimeout(() => {
      settled.current = text;
      onSettled(text);
    }, typingMs);
    return () => clearTimeout(timer);
  });
  return (
    <TextField
      label={label}
      {...(hint ? { hint } : {})}
      type={number ? 'number' : 'search'}
      value={text}
      onChange={setText}
    />
  );
}
