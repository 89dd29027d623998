/** The registry as a leaderboard: filtered, ordered and cut into pages by the database. */
import type pg from 'pg';
import { publicId } from '../../../shared/identifiers.ts';
import { type ModelColumns, modelRow } from './describe.ts';
import type { Leaderboard, leaderboardSorts, ModelRow } from './schemas.ts';

export interface AskedModels {
  name?: string | undefined;
  dataSet?: number | undefined;
  run?: number | undefined;
  backend?: string | undefined;
  state?: string | undefined;
  nullTests: boolean;
  /** One of `leaderboardSorts`; a minus turns the order round. */
  sort: string;
  offset: number;
  limit: number;
}

type Sort = (typeof leaderboardSorts)[number];

/**
 * The metrics of models m as f.metrics, without what no list shows: unpacked once, however many figures are
 * read of them.
 */
export const figuresJoin = `CROSS JOIN LATERAL (
  SELECT m.metrics - '{epochs,studies,test}'::text[] AS metrics OFFSET 0) f`;
/** The evaluation that the leaderboard shows, where `figuresJoin` is joined. */
export const mainFiguresSql = `(CASE WHEN jsonb_typeof(f.metrics->'crossValidation') = 'object'
  THEN f.metrics->'crossValidation' ELSE f.metrics->'holdout' END)`;
const aucSql = `(${mainFiguresSql}->>'rocAuc')::float8`;
const nullTest = `coalesce((m.options->>'shuffleLabels')::boolean, false)`;

const orders: Record<Sort, string> = {
  auc: aucSql,
  n: `(${mainFiguresSql}->>'n')::int`,
  accuracy: `(${mainFiguresSql}->>'accuracy')::float8`,
  top10: `(${mainFiguresSql}#>>'{top10,precision}')::float8`,
  top20: `(${mainFiguresSql}#>>'{top20,precision}')::float8`,
  ece: `(${mainFiguresSql}->>'ece')::float8`,
  time: 'm.finished_at - m.started_at',
  parameters: 'm.parameters',
  created: 'm.created_at',
  model: 'm.name',
  state: 'm.state',
  dataSet: 'd.name',
  id: 'm.id',
};

/** Figures without their curves, which are most of what is stored. */
const without = (part: string) => `${part} - 'rocCurve' - 'reliability'`;
const columns = `m.id, m.name, m.training_run_id AS "trainingRunId", m.data_set_id AS "dataSetId", m.state,
  m.failure_reason AS "failureReason", m.options, m.parameters, m.backend, m.code_version AS "codeVersion",
  m.created_at AS "createdAt", m.started_at AS "startedAt", m.finished_at AS "finishedAt", NULL AS imported,
  m.progress - 'curve' AS progress, jsonb_build_object('id', d.id, 'name', d.name) AS "dataSet",
  CASE WHEN f.metrics IS NULL THEN NULL ELSE jsonb_build_object('preset', f.metrics->'preset',
    'holdout', ${without("(f.metrics->'holdout')")},
    'crossValidation', CASE WHEN jsonb_typeof(f.metrics->'crossValidation') = 'object'
      THEN ${without("(f.metrics->'crossValidation')")} END) END AS metrics`;

export async function leaderboard(
  pool: pg.Pool,
  championId: number | null,
  asked: AskedModels,
): Promise<Leaderboard> {
  const { where, values } = conditionOf(asked);
  const direction = asked.sort.startsWith('-') ? 'DESC' : 'ASC';
  const order = orders[asked.sort.replace(/^-/, '') as Sort];
  const shown = asked.nullTests ? where : `${where} AND NOT ${nullTest}`;
  const [page, counts, choices] = await Promise.all([
    // The page is found first: only its rows are looked at more closely.
    pool.query<ModelColumns>(
      `SELECT ${columns} FROM (
         SELECT id, row_number() OVER () AS place FROM (
           SELECT m.id FROM models m JOIN data_sets d ON d.id = m.data_set_id ${figuresJoin} WHERE ${shown}
           ORDER BY ${order} ${direction} NULLS LAST, m.id DESC LIMIT ${asked.limit} OFFSET ${asked.offset}) found
       ) page JOIN models m ON m.id = page.id JOIN data_sets d ON d.id = m.data_set_id ${figuresJoin} ORDER BY page.place`,
      values,
    ),
    pool.query<{ all: number; nullTests: number }>(
      `SELECT count(*)::int AS all, count(*) FILTER (WHERE ${nullTest})::int AS "nullTests" FROM models m WHERE ${where}`,
      values,
    ),
    pool.query<{ names: string[]; backends: string[] }>(
      `SELECT coalesce(array_agg(DISTINCT name ORDER BY name), '{}') AS names,
         coalesce(array_agg(DISTINCT backend ORDER BY backend) FILTER (WHERE backend IS NOT NULL), '{}') AS backends
       FROM models`,
    ),
  ]);
  const { all, nullTests } = counts.rows[0]!;
  const hiddenNullTests = asked.nullTests ? 0 : nullTests;
  const rows = page.rows.map((row) => modelRow(row, championId));
  return {
    champion: championId === null ? null : publicId('model', championId),
    hiddenNullTests,
    ...{ total: all - hiddenNullTests, offset: asked.offset, limit: asked.limit },
    models: await withSeeds(pool, page.rows, rows),
    choices: choices.rows[0]!,
  };
}

function conditionOf({ name, dataSet, run, backend, state }: AskedModels): {
  where: string;
  values: unknown[];
} {
  const values: unknown[] = [];
  const parts = ['true'];
  const is = (column: string, value: unknown, type = '') => {
    if (value === undefined) return;
    values.push(value);
    parts.push(`m.${column} = $${values.length}${type}`);
  };
  is('name', name);
  is('data_set_id', dataSet);
  is('training_run_id', run);
  is('backend', backend);
  is('state', state, '::"ModelState"');
  return { where: parts.join(' AND '), values };
}

/**
 * Tell each model how those fare that differ from it in their seed alone: all other options are the same,
 * and so is what their figures are measured on. A seed that was tried again counts once.
 */
async function withSeeds(
  pool: pg.Pool,
  models: readonly ModelColumns[],
  rows: readonly ModelRow[],
): Promise<ModelRow[]> {
  const { rows: groups } = await pool.query<{ ids: number[]; n: number; mean: number; spread: number }>(
    `SELECT jsonb_path_query_array(jsonb_agg(ids), '$[*][*]') AS ids, count(*)::int AS n, avg(auc) AS mean,
       stddev_samp(auc) AS spread FROM (
       SELECT name, data_set_id, others, basis, seed, avg(auc) AS auc, jsonb_agg(id) AS ids FROM (
         SELECT m.id, m.name, m.data_set_id, m.options - 'seed' AS others, m.options->>'seed' AS seed,
           coalesce(jsonb_typeof(f.metrics->'crossValidation') = 'object', false) AS basis, ${aucSql} AS auc
         FROM models m ${figuresJoin} WHERE m.metrics IS NOT NULL
           AND (m.name, m.data_set_id) IN (SELECT * FROM unnest($1::text[], $2::int[]))) one
       WHERE auc IS NOT NULL AND seed IS NOT NULL GROUP BY 1, 2, 3, 4, 5) seeds
     GROUP BY name, data_set_id, others, basis HAVING count(*) > 1`,
    [models.map(({ name }) => name), models.map(({ dataSetId }) => dataSetId)],
  );
  const seedsOf = new Map(
    groups.flatMap(({ ids, n, mean, spread }) => ids.map((id) => [id, { n, mean, spread }] as const)),
  );
  return rows.map((row, index) => ({ ...row, seeds: seedsOf.get(models[index]!.id) ?? null }));
}
