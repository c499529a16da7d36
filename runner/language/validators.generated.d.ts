import type { ValidateFunction } from 'ajv';
import type { PipelineFile, WorkflowFile } from './pipeline-file.generated.ts';

export const validatePipelineFile: ValidateFunction<PipelineFile>;
export const validateWorkflowFile: ValidateFunction<WorkflowFile>;
