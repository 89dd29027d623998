/** The command line `hiphop`. */
import { Command } from 'commander';
import { codeVersion } from '../shared/code-version.ts';
import { registerAccounts } from './commands/accounts.ts';
import { registerCompare } from './commands/compare.ts';
import { registerCrawl } from './commands/crawl.ts';
import { registerCurves } from './commands/curves.ts';
import { registerDb } from './commands/db.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerEmbed } from './commands/embed.ts';
import { registerExport } from './commands/export.ts';
import { registerFailures } from './commands/failures.ts';
import { registerFreeze } from './commands/freeze.ts';
import { registerImport } from './commands/import.ts';
import { registerIngest } from './commands/ingest.ts';
import { registerModels } from './commands/models.ts';
import { registerRollback } from './commands/rollback.ts';
import { registerSchedule } from './commands/schedule.ts';
import { registerScore } from './commands/score.ts';
import { registerServices } from './commands/services.ts';
import { registerSimulate } from './commands/simulate.ts';
import { registerStatus } from './commands/status.ts';
import { registerTrain } from './commands/train.ts';

const program = new Command('hiphop')
  .description('Finds out which unreleased hip-hop songs deserve attention.')
  .version(codeVersion())
  .showHelpAfterError('(hiphop --help lists the commands, hiphop COMMAND --help explains one)')
  .exitOverride((error) => {
    // Commander's own complaints are about usage; asking for help or the version is no failure.
    process.exit(error.exitCode === 0 ? 0 : 2);
  })
  .addHelpText(
    'after',
    `
A catalogue in, a ranking out:
  hiphop ingest catalogue.csv --wait    audio and popularity in, spectrograms made
  hiphop train --wait                   a data set frozen, models trained and evaluated
  hiphop score new-songs/               songs ranked by the champion

Settings come from the environment: DATA_DIR (default .data), DATABASE_URL, REDIS_URL, CACHE_DIR,
LOG_LEVEL, AUDIO_EXCERPT, AUDIO_SECONDS, AUDIO_TIMEOUT_SECONDS, AUDIO_MAX_MEGABYTES, AUDIO_PROCESSES,
KEEP_PREVIEWS, TENSORFLOW, TAGGER. The README explains them.
Exit status: 0 done, 1 failed, 2 asked for something that cannot be done, 130 interrupted.`,
  );

for (const register of [
  ...[
    registerDemo,
    registerCrawl,
    registerIngest,
    registerEmbed,
    registerFreeze,
    registerTrain,
    registerModels,
    registerCompare,
    registerCurves,
    registerRollback,
    registerExport,
    registerImport,
    registerScore,
  ],
  ...[
    registerSchedule,
    registerStatus,
    registerFailures,
    registerServices,
    registerAccounts,
    registerDoctor,
    registerDb,
    registerSimulate,
  ],
]) {
  register(program);
}

await program.parseAsync();
