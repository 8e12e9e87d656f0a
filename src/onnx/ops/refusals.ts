// Operators that are known and not imported, and why.

import { type OnnxOp, refused } from '../operator.ts';

const dynamic = 'the shape of its result depends on the values that it gets';
const text = 'Heddle has no text';
const lists = 'Heddle has no sequences, optional values or maps: values are tensors';

export const refusedOps: readonly OnnxOp[] = [
  ...['NonMaxSuppression', 'Unique'].map((n) =>
    refused(n, dynamic, 'end the model before this node, and do the rest on its outputs'),
  ),
  ...[
    'StringConcat',
    'StringNormalizer',
    'StringSplit',
    'RegexFullMatch',
    'TfIdfVectorizer',
    'ImageDecoder',
  ].map((n) =>
    refused(
      n,
      n === 'ImageDecoder' ? 'Heddle decodes no files' : text,
      'prepare its inputs before the model',
    ),
  ),
  ...[
    'SequenceAt',
    'SequenceConstruct',
    'SequenceEmpty',
    'SequenceErase',
    'SequenceInsert',
    'SequenceLength',
    'SequenceMap',
    'SplitToSequence',
    'ConcatFromSequence',
    'Optional',
    'OptionalGetElement',
    'OptionalHasElement',
  ].map((n) => refused(n, lists, 'use Split, Concat and Stack on tensors instead')),
  refused('MaxRoiPool', 'regions are rounded to pixels that are only known at run time', 'use RoiAlign'),
  ...['CastMap', 'CategoryMapper', 'DictVectorizer', 'LabelEncoder', 'ZipMap'].map((n) =>
    refused(n, lists, 'do this step before or after the model', 'ai.onnx.ml'),
  ),
  ...[
    'FeatureVectorizer',
    'Imputer',
    'LinearClassifier',
    'LinearRegressor',
    'Normalizer',
    'OneHotEncoder',
    'SVMClassifier',
    'SVMRegressor',
    'Scaler',
    'TreeEnsemble',
    'TreeEnsembleClassifier',
    'TreeEnsembleRegressor',
  ].map((n) =>
    refused(n, 'classical models are not nets', 'export them to standard operators', 'ai.onnx.ml'),
  ),
];
