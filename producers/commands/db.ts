import { resolve } from 'node:path';
import type { Command } from 'commander';
import { backup, databaseInfo, restore } from '../../shared/database/backup.ts';
import { type Database, openDatabase } from '../../shared/database/index.ts';
import { type Cli, runCommand } from '../cli.ts';
import { print, printJson, table, tell } from '../output.ts';

interface JsonOption {
  json?: boolean;
}

export function registerDb(program: Command): void {
  const db = program.command('db').description('where the database is, how big, and its backup');

  db.command('info', { isDefault: true })
    .description('where it is, what is in it, who is connected')
    .option('--json', 'print it as JSON')
    .action((options: JsonOption) =>
      withDatabase(async (database) => {
        const info = await databaseInfo(database);
        if (options.json) printJson(info);
        else {
          print(
            `${info.kind === 'embedded' ? 'embedded PostgreSQL' : 'PostgreSQL'} ${info.version} at ${info.url}`,
          );
          print(`${(info.sizeBytes / 1e6).toFixed(1)} MB, migrations: ${info.migrations.join(', ')}`);
          print(
            table(
              ['table', 'rows'],
              info.tables.map((found) => [found.name, found.rows]),
            ),
          );
          for (const { application, address, count } of info.connections) {
            print(`connected: ${application || 'unnamed'} from ${address} (${count})`);
          }
        }
      }),
    );

  db.command('backup')
    .description(
      'write everything that lasts into one file; jobs are not in it, they are made again from the rows',
    )
    .argument('<file>')
    .option('--json', 'print the outcome as JSON')
    .action((file: string, options: JsonOption) =>
      withDatabase(async (database) => {
        const done = await backup(database.url, resolve(file), tell);
        if (options.json) printJson(done);
        else print(`${file}: ${done.rows} rows, ${(done.bytes / 1e6).toFixed(1)} MB`);
      }),
    );

  db.command('restore')
    .description('put a backup into an empty database')
    .argument('<file>')
    .option('--force', 'replace what is in the database now')
    .option('--json', 'print the outcome as JSON')
    .action((file: string, options: JsonOption & { force?: boolean }) =>
      withDatabase(async (database) => {
        const done = await restore(database.url, resolve(file), { force: options.force ?? false }, tell);
        if (options.json) printJson(done);
        else print(`${done.rows} rows are back from ${file}`);
      }),
    );
}

async function withDatabase(action: (database: Database) => Promise<void>): Promise<void> {
  await runCommand(false, async ({ config, log }: Cli) => {
    const database = await openDatabase(config, log);
    try {
      await action(database);
    } finally {
      await database.close();
    }
  });
}
