#!/usr/bin/env node
// Prisma's schema engine as its command line expects it: a program that speaks JSON-RPC on standard
// input and output. Prisma would download a native one, which a closed network refuses; the same
// engine is on npm as WebAssembly and works through a driver adapter. `npm run prisma` points
// PRISMA_SCHEMA_ENGINE_BINARY here. A tool for developers: the program itself applies its migrations
// with shared/database/migrations.ts and needs none of this.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** PostgreSQL's internal one-byte "char" and its text. */
const CHAR_OID = 18;
const TEXT_OID = 25;

function readArguments(argv) {
  const given = { command: undefined, version: false, datasource: {}, datamodels: [] };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--datamodels') given.datamodels.push(argv[++i]);
    else if (argv[i] === '--datasource') given.datasource = JSON.parse(argv[++i]);
    else if (argv[i] === 'cli') given.command = argv[++i];
    else if (argv[i] === '--version' || argv[i] === '-V') given.version = true;
  }
  return given;
}

async function loadEngine() {
  // The engine looks for this global when it panics; without it the panic hides its own message.
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    set_message: (message) => process.stderr.write(`${message}\n`),
  };
  const found = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm');
  const bytes = readFileSync(fileURLToPath(new URL('./schema_engine_bg.wasm', `file://${found}`)));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

/** Host, port and so on one by one: with a connection string the shadow database would be the real one. */
function connectionSettings(address) {
  const url = new URL(address);
  return {
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
}

/** Mend what the stock adapter cannot do for the engine. */
function mend(adapter) {
  const performIO = adapter.performIO.bind(adapter);
  const queryRaw = adapter.queryRaw.bind(adapter);
  // The catalogue has columns of type "char", which the adapter refuses: read them as text, report
  // them as characters.
  const charColumns = new WeakMap();
  adapter.performIO = async (query) => {
    const result = await performIO(query);
    charColumns.set(
      query,
      (result.fields ?? []).map((field) => field.dataTypeID === CHAR_OID),
    );
    for (const field of result.fields ?? []) if (field.dataTypeID === CHAR_OID) field.dataTypeID = TEXT_OID;
    return result;
  };
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    const isChar = charColumns.get(query) ?? [];
    const columnTypes = result.columnTypes.map((type, i) => (isChar[i] ? ColumnTypeEnum.Character : type));
    return { ...result, columnTypes };
  };
  // Stock: split at ';', which breaks function bodies, and not atomic. One query is one transaction.
  adapter.executeScript = async (sql) => {
    try {
      await adapter.underlyingDriver().query(sql);
    } catch (error) {
      adapter.onError(error);
    }
  };
  return adapter;
}

class AdapterFactory extends PrismaPg {
  constructor(settings, options) {
    super(settings, options);
    this.settings = settings;
    this.adapterOptions = options;
  }

  async connect() {
    return mend(await super.connect());
  }

  /** Stock: drop the shadow database before its pool is closed, which PostgreSQL refuses. */
  async connectToShadowDb() {
    const database = `prisma_migrate_shadow_db_${randomUUID()}`;
    const admin = new pg.Client(this.settings);
    await admin.connect();
    await admin.query(`CREATE DATABASE "${database}"`);
    const factory = new PrismaPg({ ...this.settings, database }, this.adapterOptions);
    const adapter = mend(await factory.connect());
    const dispose = adapter.dispose.bind(adapter);
    adapter.dispose = async () => {
      try {
        await dispose();
      } finally {
        await admin.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
        await admin.end();
      }
    };
    return adapter;
  }
}

/** `cli can-connect-to-database` and `cli create-database`: the exit status is the answer. */
async function runCommand(command, address) {
  const settings = connectionSettings(address);
  const database = command === 'create-database' ? 'postgres' : settings.database;
  const client = new pg.Client({ ...settings, database });
  process.stderr.write('\n');
  try {
    await client.connect();
    if (command === 'create-database') {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(settings.database)}`);
    }
    return 0;
  } catch (error) {
    const fields = { message: error.message, error_code: error.code === '3D000' ? 'P1003' : 'P1001' };
    const line = {
      timestamp: new Date().toISOString(),
      level: 'ERROR',
      target: 'schema_engine::logger',
      fields,
    };
    process.stderr.write(`${JSON.stringify(line)}\n`);
    return 1;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function createEngine({ datasource, datamodels }) {
  const schema = new URL(datasource.url).searchParams.get('schema') ?? undefined;
  const factory = new AdapterFactory(connectionSettings(datasource.url), { schema });
  const files = datamodels.map((file) => [file, readFileSync(file, 'utf8')]);
  return bindings.SchemaEngine.new(
    { datamodels: files.length > 0 ? files : undefined },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory),
  );
}

const reply = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

async function answer(engine, { id, method, params }) {
  try {
    const result = await (await engine())[method === 'getDatabaseVersion' ? 'version' : method](
      params ?? null,
    );
    // The native engine prints a diff through the command line; the WebAssembly one hands it back.
    if (method === 'diff' && result?.stdout != null) {
      reply({ id: 0, method: 'print', params: { content: result.stdout } });
    }
    reply({ id, result: result ?? {} });
  } catch (error) {
    const data = {
      is_panic: false,
      message: String(error?.message ?? error),
      error_code: error?.code,
      meta: error?.meta,
    };
    reply({ id, error: { code: 4466, message: 'An error happened.', data } });
  }
}

const given = readArguments(process.argv.slice(2));
await loadEngine();
if (given.version) {
  process.stdout.write(`schema-engine-cli ${bindings.version()}\n`);
} else if (given.command) {
  process.exitCode = await runCommand(given.command, given.datasource.url);
} else {
  let created;
  const engine = () => {
    created ??= createEngine(given);
    return created;
  };
  for await (const line of createInterface({ input: process.stdin })) await answer(engine, JSON.parse(line));
  process.exit(0);
}
