/** How a child process of SpectrogramPool ends by its own choice, so that this can be told from a crash. */

/** It holds too much memory, in the midst of a file. The signal has no other use here, and ends a process. */
export const MEMORY_SIGNAL = 'SIGUSR2';

/** It was given a file, but has grown by those before: another child should do it. EX_TEMPFAIL of sysexits.h. */
export const RETIRED_EXIT_CODE = 75;
