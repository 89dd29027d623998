/** What a training may be asked to try: value of the API's `models`, and how it is called. */
export const modelChoices = [
  ['dummy,logistic', 'dummy and logistic'],
  ['dummy,logistic,forest', 'dummy, logistic and forest'],
  ['dummy,logistic,forest,musicnn,stack', 'all but networks'],
  ['dummy,logistic,crnn', 'dummy, logistic and crnn'],
] as const;
