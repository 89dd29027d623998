/** One line of the table: a target and what was measured. */
export interface Row {
  what: string;
  target: string;
  measured: string;
  met: boolean;
}

export function print(rows: readonly Row[]): void {
  for (const { what, target, measured, met } of rows) {
    console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${measured}  (target ${target})`);
  }
}
