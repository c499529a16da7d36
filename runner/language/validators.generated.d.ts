import type { ValidateFunction } from 'ajv';
import type { ConfigFile, PipelineFile, WorkflowFile } from './pipeline-file.generated.ts';

export const validateConfigFile: ValidateFunction<ConfigFile>;
export const validatePipelineFile: ValidateFunction<PipelineFile>;
export const validateWorkflowFile: ValidateFunction<WorkflowFile>;
