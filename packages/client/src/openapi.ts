// Written by scripts/openapi-types.ts from openapi.json; `pnpm run types` makes it anew.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptedBatch: {
            /** @example batch_01K9ZW0D5E7F9G1H3J5K7M9N1P */
            id: string;
            /** @constant */
            object: "batch";
            /** @enum {string} */
            status: "running" | "canceling" | "completed" | "canceled" | "expired";
            /** @description the six add up to `total`; a job that is `canceling` counts as running */
            counts: {
                total: number;
                queued: number;
                running: number;
                succeeded: number;
                failed: number;
                canceled: number;
                expired: number;
            };
            /** @description why its first queued job waits; null when none does, and in answers to POST */
            waiting: components["schemas"]["Waiting"] | null;
            /** @description 1, and one more each time that an ended batch is reopened */
            round: number;
            /** @description of all its jobs; null: no call of a job with a known price has begun */
            cost: components["schemas"]["Cost"] | null;
            /** @description lines that were left out */
            invalid_count: number;
            metadata: {
                [key: string]: string;
            };
            webhook: {
                url: string | null;
                events: string[];
                /** @enum {string} */
                state: "none" | "pending" | "delivered" | "failed";
                last_delivery_id: string | null;
            };
            /** @description all results of the last round, once it has ended */
            results_file: {
                /** @description signed afresh in each answer */
                url: string;
                /**
                 * Format: date-time
                 * @description when the link dies
                 */
                expires_at: string;
                /** @constant */
                content_type: "application/x-ndjson";
                bytes: number;
                sha256: string;
                /** @description in the bucket */
                key: string;
            } | null;
            created_at: string | null;
            finished_at: string | null;
            expires_at: string | null;
            links: {
                [key: string]: string;
            };
            /** @description with `on_invalid=skip`: how many lines were left out, and the first 100 of them */
            invalid: {
                count: number;
                errors: components["schemas"]["BatchLineError"][];
            };
            /** @description how many lines were accepted with a warning, and the first 100 of them */
            warnings?: {
                count: number;
                lines: {
                    line: number;
                    custom_id: string;
                    warnings: components["schemas"]["Warning"][];
                }[];
            };
        };
        Batch: {
            /** @example batch_01K9ZW0D5E7F9G1H3J5K7M9N1P */
            id: string;
            /** @constant */
            object: "batch";
            /** @enum {string} */
            status: "running" | "canceling" | "completed" | "canceled" | "expired";
            /** @description the six add up to `total`; a job that is `canceling` counts as running */
            counts: {
                total: number;
                queued: number;
                running: number;
                succeeded: number;
                failed: number;
                canceled: number;
                expired: number;
            };
            /** @description why its first queued job waits; null when none does, and in answers to POST */
            waiting: components["schemas"]["Waiting"] | null;
            /** @description 1, and one more each time that an ended batch is reopened */
            round: number;
            /** @description of all its jobs; null: no call of a job with a known price has begun */
            cost: components["schemas"]["Cost"] | null;
            /** @description lines that were left out */
            invalid_count: number;
            metadata: {
                [key: string]: string;
            };
            webhook: {
                url: string | null;
                events: string[];
                /** @enum {string} */
                state: "none" | "pending" | "delivered" | "failed";
                last_delivery_id: string | null;
            };
            /** @description all results of the last round, once it has ended */
            results_file: {
                /** @description signed afresh in each answer */
                url: string;
                /**
                 * Format: date-time
                 * @description when the link dies
                 */
                expires_at: string;
                /** @constant */
                content_type: "application/x-ndjson";
                bytes: number;
                sha256: string;
                /** @description in the bucket */
                key: string;
            } | null;
            created_at: string | null;
            finished_at: string | null;
            expires_at: string | null;
            links: {
                [key: string]: string;
            };
        };
        BatchCanceledEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "batch.canceled";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Batch"] | components["schemas"]["ThinBatch"] | components["schemas"]["DeletedBatch"];
        };
        BatchCompletedEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "batch.completed";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Batch"] | components["schemas"]["ThinBatch"] | components["schemas"]["DeletedBatch"];
        };
        BatchExpiredEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "batch.expired";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Batch"] | components["schemas"]["ThinBatch"] | components["schemas"]["DeletedBatch"];
        };
        BatchItem: components["schemas"]["ChatBatchItem"] | components["schemas"]["ImageBatchItem"];
        /** @description With the `defaults` of the request under it, it is a BatchItem. */
        BatchItemOverDefaults: {
            type?: unknown;
            input?: {
                [key: string]: unknown;
            };
            via?: unknown;
            webhook?: {
                [key: string]: unknown;
            };
            metadata?: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            priority?: "low" | "normal" | "high";
            expires_in_s?: number;
            max_attempts?: unknown;
            on_unknown_submit?: unknown;
            output?: {
                [key: string]: unknown;
            };
            /** @example order-17 */
            custom_id: string;
        };
        BatchLineError: {
            /** @description from 1; of a JSON body the place in `items` */
            line: number;
            custom_id: string | null;
            errors: {
                /** @description a JSON pointer into the line */
                pointer: string;
                message: string;
            }[];
        };
        BatchRequest: {
            defaults?: {
                type?: unknown;
                input?: {
                    [key: string]: unknown;
                };
                via?: unknown;
                webhook?: {
                    [key: string]: unknown;
                };
                metadata?: {
                    [key: string]: unknown;
                };
                /** @enum {string} */
                priority?: "low" | "normal" | "high";
                expires_in_s?: number;
                max_attempts?: unknown;
                on_unknown_submit?: unknown;
                output?: {
                    [key: string]: unknown;
                };
            };
            webhook?: {
                /** @example https://caller.example/hooks */
                url: string;
                /** @description default: ["batch.completed","batch.canceled","batch.expired"] */
                events?: ("batch.completed" | "batch.canceled" | "batch.expired" | "job.succeeded" | "job.failed" | "job.canceled" | "job.expired" | "job.started" | "job.progress")[];
            };
            metadata?: {
                [key: string]: string;
            };
            /** @description bodies of `POST /v1/jobs`, each with a `custom_id` of its own; what they leave out comes from `defaults` */
            items: components["schemas"]["JsonBatchItem"][];
        };
        BatchResult: {
            line: number | null;
            custom_id: string | null;
            job_id: string;
            /** @enum {string} */
            status: "succeeded" | "failed" | "canceled" | "expired";
            run: number;
            result: components["schemas"]["JobResult"] | null;
            error: components["schemas"]["JobError"] | null;
            finished_at: string | null;
        };
        ChatBatchItem: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "chat";
            input: components["schemas"]["ChatInput"];
            webhook?: {
                /** @example https://caller.example/hooks */
                url: string;
                /** @description default: ["job.succeeded","job.failed","job.canceled","job.expired"] */
                events?: ("job.succeeded" | "job.failed" | "job.canceled" | "job.expired" | "job.started" | "job.progress")[];
            };
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description default: normal
             * @enum {string}
             */
            priority?: "low" | "normal" | "high";
            /** @description default: 86400 */
            expires_in_s?: number;
            /** @description default: 4 */
            max_attempts?: number;
            /** @enum {string} */
            on_unknown_submit?: "fail" | "resubmit";
            /**
             * @description models that a run goes on with, one after another, when the one before takes no calls or its attempts are used up, as long as nothing is paid twice
             * @example [
             *       "nano-banana-pro"
             *     ]
             */
            fallback_models?: string[];
            /** @description default: {"url_ttl_s":86400} */
            output?: {
                /** @description default: 86400 */
                url_ttl_s?: number;
            };
            /** @example order-17 */
            custom_id: string;
        };
        /** @description A link to a completion that is larger than 16 KiB */
        ChatFile: {
            url: string;
            /** Format: date-time */
            expires_at: string;
            /** @constant */
            content_type: "application/json";
            bytes: number;
            sha256: string;
            key: string;
        };
        ChatInput: {
            /** @example gemini-3.1-pro */
            model: string;
            messages: ({
                /** @enum {string} */
                role: "system" | "developer" | "user";
                content: string | ({
                    /** @constant */
                    type: "text";
                    text: string;
                } | {
                    /** @constant */
                    type: "image_url";
                    image_url: {
                        url: string;
                        /** @enum {string} */
                        detail?: "auto" | "low" | "high";
                    };
                })[];
                name?: string;
            } | {
                /** @constant */
                role: "assistant";
                /** @description default: */
                content?: string | ({
                    /** @constant */
                    type: "text";
                    text: string;
                } | {
                    /** @constant */
                    type: "image_url";
                    image_url: {
                        url: string;
                        /** @enum {string} */
                        detail?: "auto" | "low" | "high";
                    };
                })[];
                name?: string;
            })[];
            stream?: boolean;
            temperature?: number;
            top_p?: number;
            max_tokens?: number;
            max_completion_tokens?: number;
            presence_penalty?: number;
            frequency_penalty?: number;
            seed?: number;
            stop?: string | string[];
            response_format?: {
                /** @enum {string} */
                type: "text" | "json_object";
            };
            /**
             * @description minimal, low, medium, high; another word is passed on, with a warning in the answer
             * @example minimal
             */
            reasoning_effort?: string;
            user?: string;
        };
        ChatJobRequest: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "chat";
            input: components["schemas"]["ChatInput"];
            webhook?: {
                /** @example https://caller.example/hooks */
                url: string;
                /** @description default: ["job.succeeded","job.failed","job.canceled","job.expired"] */
                events?: ("job.succeeded" | "job.failed" | "job.canceled" | "job.expired" | "job.started" | "job.progress")[];
            };
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description default: normal
             * @enum {string}
             */
            priority?: "low" | "normal" | "high";
            /** @description default: 86400 */
            expires_in_s?: number;
            /** @description default: 4 */
            max_attempts?: number;
            /** @enum {string} */
            on_unknown_submit?: "fail" | "resubmit";
            /**
             * @description models that a run goes on with, one after another, when the one before takes no calls or its attempts are used up, as long as nothing is paid twice
             * @example [
             *       "nano-banana-pro"
             *     ]
             */
            fallback_models?: string[];
            /** @description default: {"url_ttl_s":86400} */
            output?: {
                /** @description default: 86400 */
                url_ttl_s?: number;
            };
        };
        /** @description As OpenAI answers it */
        Completion: {
            choices: unknown[];
        } & {
            [key: string]: unknown;
        };
        /** @description In credits of the upstream account */
        Cost: {
            /** @description charged, over all runs */
            credits: number;
            /** @description set aside for calls in flight and for tasks that run, and for calls of which nobody knows whether they were charged */
            reserved: number;
            /**
             * @description `none`: nothing was paid for yet; `reserved`: something is in flight; `unknown`: it is not known whether some calls were charged; else what they came to
             * @enum {string}
             */
            state: "none" | "reserved" | "charged" | "refunded" | "unknown";
            /** @description some of it is an estimate: set aside, or by a price or a number of tokens that upstream has not said */
            estimated: boolean;
        };
        /** @description The batch was gone before its webhook went out */
        DeletedBatch: {
            id: string;
            /** @enum {string} */
            status: "running" | "canceling" | "completed" | "canceled" | "expired";
            /** @constant */
            deleted: true;
        };
        /** @description The job was deleted before its webhook went out */
        DeletedJob: {
            id: string;
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "canceling" | "canceled" | "expired";
            /** @constant */
            deleted: true;
        };
        ImageBatchItem: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "image";
            input: components["schemas"]["ImageInput"];
            /**
             * @description default: generate
             * @enum {string}
             */
            via?: "generate" | "generations";
            /**
             * @description whether an image that failed upstream is made once more: auto, where its model gives the credits of failed work back; default: auto
             * @enum {string}
             */
            resubmit_failed?: "auto" | "never" | "always";
            webhook?: {
                /** @example https://caller.example/hooks */
                url: string;
                /** @description default: ["job.succeeded","job.failed","job.canceled","job.expired"] */
                events?: ("job.succeeded" | "job.failed" | "job.canceled" | "job.expired" | "job.started" | "job.progress")[];
            };
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description default: normal
             * @enum {string}
             */
            priority?: "low" | "normal" | "high";
            /** @description default: 86400 */
            expires_in_s?: number;
            /** @description default: 4 */
            max_attempts?: number;
            /** @enum {string} */
            on_unknown_submit?: "fail" | "resubmit";
            /**
             * @description models that a run goes on with, one after another, when the one before takes no calls or its attempts are used up, as long as nothing is paid twice
             * @example [
             *       "nano-banana-pro"
             *     ]
             */
            fallback_models?: string[];
            /** @description default: {"url_ttl_s":86400} */
            output?: {
                /** @description default: 86400 */
                url_ttl_s?: number;
            };
            /** @example order-17 */
            custom_id: string;
        };
        ImageInput: {
            /** @example nano-banana-2 */
            model: string;
            /** @example a paper lighthouse on a foggy desk */
            prompt: string;
            images?: string[];
            /** @example 4:3 */
            aspect_ratio?: string;
            /**
             * @description 1K, 2K, 4K; another word is passed on, with a warning in the answer
             * @example 1K
             */
            image_size?: string;
            /**
             * @description auto, low, medium, high, xhigh, max; another word is passed on, with a warning in the answer
             * @example auto
             */
            quality?: string;
            /**
             * @description transparent; another word is passed on, with a warning in the answer
             * @example transparent
             */
            background?: string;
            mask?: string;
        };
        ImageJobRequest: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "image";
            input: components["schemas"]["ImageInput"];
            /**
             * @description default: generate
             * @enum {string}
             */
            via?: "generate" | "generations";
            /**
             * @description whether an image that failed upstream is made once more: auto, where its model gives the credits of failed work back; default: auto
             * @enum {string}
             */
            resubmit_failed?: "auto" | "never" | "always";
            webhook?: {
                /** @example https://caller.example/hooks */
                url: string;
                /** @description default: ["job.succeeded","job.failed","job.canceled","job.expired"] */
                events?: ("job.succeeded" | "job.failed" | "job.canceled" | "job.expired" | "job.started" | "job.progress")[];
            };
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description default: normal
             * @enum {string}
             */
            priority?: "low" | "normal" | "high";
            /** @description default: 86400 */
            expires_in_s?: number;
            /** @description default: 4 */
            max_attempts?: number;
            /** @enum {string} */
            on_unknown_submit?: "fail" | "resubmit";
            /**
             * @description models that a run goes on with, one after another, when the one before takes no calls or its attempts are used up, as long as nothing is paid twice
             * @example [
             *       "nano-banana-pro"
             *     ]
             */
            fallback_models?: string[];
            /** @description default: {"url_ttl_s":86400} */
            output?: {
                /** @description default: 86400 */
                url_ttl_s?: number;
            };
        };
        ImageResult: {
            images: {
                index: number;
                /** @description signed afresh in each answer */
                url: string;
                /**
                 * Format: date-time
                 * @description when the link dies
                 */
                expires_at: string;
                /** @description from the bytes: image/png, image/jpeg, image/webp, image/gif, image/avif, image/heic, image/heif, image/jxl, image/tiff, image/bmp, image/svg+xml, video/mp4, video/quicktime or video/webm */
                content_type: string;
                bytes: number;
                /** @description null for video, and where the file does not say */
                width: number | null;
                height: number | null;
                sha256: string;
                /** @description in the bucket */
                key: string;
            }[];
            /** @description outputs of the task that could not be kept, beside those that are; left out when there are none */
            lost?: {
                index: number;
                reason: string;
            }[];
        };
        Job: {
            /** @example job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D */
            id: string;
            /** @constant */
            object: "job";
            /** @enum {string} */
            type: "chat" | "image";
            /**
             * @description the API that it came by: `/v1`, or `/openai/v1`
             * @enum {string}
             */
            origin: "v1" | "openai";
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "canceling" | "canceled" | "expired";
            stage: ("submitting" | "generating" | "storing") | null;
            /** @description why it is queued; null when it is not, in webhooks, and in the answers that accept, retry or cancel it */
            waiting: components["schemas"]["Waiting"] | null;
            /** @description 1, and one more for each reopening */
            run: number;
            /** @description that of the call in flight, or that made the result: one of `fallback_models` where those before failed */
            model: string;
            fallback_models?: string[];
            /** @description as sent, but an inline image over 32 KiB is shown as {content_type, bytes}; null with `input_truncated` */
            input: {
                [key: string]: unknown;
            } | null;
            /**
             * @description an input whose JSON is over 32 KiB is shown by `GET /v1/jobs/{id}` alone
             * @constant
             */
            input_truncated?: true;
            /**
             * @description of an image
             * @enum {string}
             */
            via?: "generate" | "generations";
            /**
             * @description of an image
             * @enum {string}
             */
            resubmit_failed?: "auto" | "never" | "always";
            metadata: {
                [key: string]: string;
            };
            /** @enum {string} */
            priority: "low" | "normal" | "high";
            /** @enum {string} */
            on_unknown_submit: "fail" | "resubmit";
            max_attempts: number;
            /** @description never falls within a run */
            progress: number;
            /** @description of a job that has succeeded */
            result: components["schemas"]["JobResult"] | null;
            /** @description why it failed, or expired */
            error: components["schemas"]["JobError"] | null;
            /** @description null: no price of its model is known */
            cost: components["schemas"]["Cost"] | null;
            /** @description calls and submits that may have been paid for, the newest 100; of all others the newest 20; a poll only when it failed */
            attempts: {
                run: number;
                /** @enum {string} */
                stage: "call" | "submit" | "poll" | "store";
                /** @description counts within run and stage, from 1 */
                number: number;
                started_at: string | null;
                ended_at: string | null;
                /** @enum {string} */
                outcome: "succeeded" | "retry" | "failed" | "unknown" | "cut" | "accepted";
                error_code?: string;
                upstream_status?: number;
                base?: string;
            }[];
            /** @description the task id is a secret: whoever has it can read the result */
            upstream: {
                base: string | null;
                task_id: string;
                submitted_at: string | null;
                polls: number;
                last_polled_at: string | null;
            } | null;
            webhook: {
                url: string | null;
                events: string[];
                /** @enum {string} */
                state: "none" | "pending" | "delivered" | "failed";
                last_delivery_id: string | null;
            };
            batch_id: string | null;
            custom_id: string | null;
            /** @description the result came after the run had been given up */
            late_result: boolean;
            created_at: string | null;
            started_at: string | null;
            finished_at: string | null;
            expires_at: string | null;
            links: {
                [key: string]: string;
            };
            /** @description only in the answer to `POST /v1/jobs`: what was accepted and may come to nothing */
            warnings?: components["schemas"]["Warning"][];
        };
        JobCanceledEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job.canceled";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Job"] | components["schemas"]["ThinJob"] | components["schemas"]["ThinnestJob"] | components["schemas"]["DeletedJob"];
        };
        JobError: {
            /**
             * @description docs/errors.md says what each means
             * @enum {string}
             */
            code: "content_rejected" | "invalid_input" | "model_unavailable" | "upstream_auth" | "upstream_balance" | "upstream_rate_limited" | "upstream_unavailable" | "upstream_failed" | "upstream_timeout" | "upstream_result_lost" | "submit_unknown" | "storage_failed" | "deadline_exceeded" | "crashed" | "internal";
            message: string;
            /** @description whether a new run of the same job may help */
            retryable: boolean;
            stage: string;
            /** @description what the upstream said */
            upstream?: {
                status?: number;
                code?: string;
                message?: string;
                task_id?: string;
            };
        };
        JobEvent: {
            job_id: string;
            /** @description counts the events of a job from 1; the Last-Event-ID of the stream */
            seq: number;
            /** @example job.progress */
            type: string;
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "canceling" | "canceled" | "expired";
            stage: ("submitting" | "generating" | "storing") | null;
            run: number;
            progress: number;
            /** Format: date-time */
            timestamp: string;
        };
        JobExpiredEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job.expired";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Job"] | components["schemas"]["ThinJob"] | components["schemas"]["ThinnestJob"] | components["schemas"]["DeletedJob"];
        };
        JobFailedEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job.failed";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Job"] | components["schemas"]["ThinJob"] | components["schemas"]["ThinnestJob"] | components["schemas"]["DeletedJob"];
        };
        JobProgressEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job.progress";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Job"] | components["schemas"]["ThinJob"] | components["schemas"]["ThinnestJob"] | components["schemas"]["DeletedJob"];
        };
        JobRequest: components["schemas"]["ChatJobRequest"] | components["schemas"]["ImageJobRequest"];
        JobResult: components["schemas"]["ImageResult"] | components["schemas"]["ChatFile"] | components["schemas"]["Completion"];
        JobStartedEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job.started";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Job"] | components["schemas"]["ThinJob"] | components["schemas"]["ThinnestJob"] | components["schemas"]["DeletedJob"];
        };
        JobSucceededEvent: {
            /** @description the webhook-id */
            id: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job.succeeded";
            /**
             * Format: date-time
             * @description when it happened
             */
            timestamp: string;
            /** @description webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number */
            sequence: number;
            data: components["schemas"]["Job"] | components["schemas"]["ThinJob"] | components["schemas"]["ThinnestJob"] | components["schemas"]["DeletedJob"];
        };
        JsonBatchItem: components["schemas"]["BatchItem"] | components["schemas"]["BatchItemOverDefaults"];
        Model: {
            /** @example nano-banana-2 */
            id: string;
            /** @constant */
            object: "model";
            /** @description null: not known */
            type: ("image" | "chat" | "video") | null;
            /** @description null: not known */
            price: components["schemas"]["ModelPrice"] | null;
            /** @description where the price comes from: upstream's `list`, the operator's `file`, or the `table` of this version */
            price_source: ("list" | "file" | "table") | null;
            /** @description it takes no calls; jobs are accepted all the same, with a warning */
            closed: boolean;
            /** @description upstream's text while it works on the model */
            maintenance: string | null;
            /** @description whether credits come back of a task that failed, or broke the content policy; null: not known */
            refunds: {
                error: boolean | null;
                violation: boolean | null;
            };
            /** @description most tokens of an answer */
            token_limit: number | null;
            /** @description when the list that has it was read; null: no list has it */
            updated_at: string | null;
        };
        /** @description In credits of the upstream account */
        ModelPrice: {
            /** @description for a call */
            credits: number;
        } | {
            /** @description for a million tokens */
            input: number;
            /** @description for a million tokens */
            output: number;
        } | {
            /** @description for a second of video, by resolution */
            per_second: {
                [key: string]: number;
            };
        };
        /** @description A refusal (RFC 9457) */
        Problem: {
            type: string;
            title: string;
            status: number;
            /** @description what is wrong, and what to do */
            detail: string;
            /** @description the path that was asked for */
            instance: string;
            /**
             * @description for programs; docs/errors.md says what each means
             * @enum {string}
             */
            code: "malformed_json" | "bad_request" | "unauthorized" | "budget_exceeded" | "forbidden" | "model_not_allowed" | "not_found" | "method_not_allowed" | "request_timeout" | "conflict" | "body_too_large" | "unsupported_media_type" | "invalid_request" | "idempotency_key_in_use" | "idempotency_key_reused" | "headers_too_large" | "tenant_quota_exceeded" | "tenant_queue_full" | "too_many_bytes_in_flight" | "too_many_open_requests" | "rate_limited" | "internal" | "unavailable";
            request_id: string;
            /** @description of a batch: how many lines are wrong; `errors` has the first 1000 fields */
            invalid_count?: number;
            /** @description with `tenant_quota_exceeded`: bytes in the job store, bytes in the object store, or live jobs; with `tenant_queue_full`: queued jobs */
            quota?: {
                /** @enum {string} */
                name: "redis" | "stored" | "live" | "queued";
                limit: number;
                used: number;
            };
            /** @description with `invalid_request` */
            errors?: {
                /** @description of a batch */
                line?: number;
                /** @description of a batch */
                custom_id?: string | null;
                /** @description a JSON pointer into the body or the line, or /name of the query */
                pointer: string;
                message: string;
            }[];
        };
        Restored: {
            /** @constant */
            object: "restored";
            /** Format: date-time */
            at: string;
            /** @description waited for their call, or it was in flight: they are suspects now */
            held: {
                images: number;
                chats: number;
            };
            /** @description of these, lines of batches */
            held_lines: number;
            /** @description images whose task is asked for */
            asked: number;
            /** @description images whose task is older than upstream keeps one */
            too_old: number;
            /** @description results that are stored under the same keys */
            storing: number;
            canceling: number;
            /** @description not delivered at that time: sent with the ids that they had */
            webhooks: number;
            /** @description retries of batches and bulk actions that would run jobs again */
            called_off: {
                retries: number;
                bulk_actions: number;
            };
        };
        RetriedBatch: {
            /** @example batch_01K9ZW0D5E7F9G1H3J5K7M9N1P */
            id: string;
            /** @constant */
            object: "batch";
            /** @enum {string} */
            status: "running" | "canceling" | "completed" | "canceled" | "expired";
            /** @description the six add up to `total`; a job that is `canceling` counts as running */
            counts: {
                total: number;
                queued: number;
                running: number;
                succeeded: number;
                failed: number;
                canceled: number;
                expired: number;
            };
            /** @description why its first queued job waits; null when none does, and in answers to POST */
            waiting: components["schemas"]["Waiting"] | null;
            /** @description 1, and one more each time that an ended batch is reopened */
            round: number;
            /** @description of all its jobs; null: no call of a job with a known price has begun */
            cost: components["schemas"]["Cost"] | null;
            /** @description lines that were left out */
            invalid_count: number;
            metadata: {
                [key: string]: string;
            };
            webhook: {
                url: string | null;
                events: string[];
                /** @enum {string} */
                state: "none" | "pending" | "delivered" | "failed";
                last_delivery_id: string | null;
            };
            /** @description all results of the last round, once it has ended */
            results_file: {
                /** @description signed afresh in each answer */
                url: string;
                /**
                 * Format: date-time
                 * @description when the link dies
                 */
                expires_at: string;
                /** @constant */
                content_type: "application/x-ndjson";
                bytes: number;
                sha256: string;
                /** @description in the bucket */
                key: string;
            } | null;
            created_at: string | null;
            finished_at: string | null;
            expires_at: string | null;
            links: {
                [key: string]: string;
            };
            /** @description failed jobs that are run again */
            retrying: number;
            /** @description failed jobs whose lost submit may have made a task; `include_unknown` takes them too */
            left_out: number;
            /** @description the round in which they run */
            in_round: number;
        };
        ThinBatch: {
            /** @example batch_01K9ZW0D5E7F9G1H3J5K7M9N1P */
            id: string;
            /** @constant */
            object: "batch";
            /** @enum {string} */
            status: "running" | "canceling" | "completed" | "canceled" | "expired";
            /** @description the six add up to `total`; a job that is `canceling` counts as running */
            counts: {
                total: number;
                queued: number;
                running: number;
                succeeded: number;
                failed: number;
                canceled: number;
                expired: number;
            };
            /** @description why its first queued job waits; null when none does, and in answers to POST */
            waiting: components["schemas"]["Waiting"] | null;
            /** @description 1, and one more each time that an ended batch is reopened */
            round: number;
            /** @description of all its jobs; null: no call of a job with a known price has begun */
            cost: components["schemas"]["Cost"] | null;
            /** @description lines that were left out */
            invalid_count: number;
            webhook: {
                url: string | null;
                events: string[];
                /** @enum {string} */
                state: "none" | "pending" | "delivered" | "failed";
                last_delivery_id: string | null;
            };
            /** @description all results of the last round, once it has ended */
            results_file: {
                /** @description signed afresh in each answer */
                url: string;
                /**
                 * Format: date-time
                 * @description when the link dies
                 */
                expires_at: string;
                /** @constant */
                content_type: "application/x-ndjson";
                bytes: number;
                sha256: string;
                /** @description in the bucket */
                key: string;
            } | null;
            created_at: string | null;
            finished_at: string | null;
            expires_at: string | null;
            links: {
                [key: string]: string;
            };
            /**
             * @description the whole would be over 20 KiB: read the batch
             * @constant
             */
            thin: true;
        };
        ThinJob: {
            /** @example job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D */
            id: string;
            /** @constant */
            object: "job";
            /** @enum {string} */
            type: "chat" | "image";
            /**
             * @description the API that it came by: `/v1`, or `/openai/v1`
             * @enum {string}
             */
            origin: "v1" | "openai";
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "canceling" | "canceled" | "expired";
            stage: ("submitting" | "generating" | "storing") | null;
            /** @description why it is queued; null when it is not, in webhooks, and in the answers that accept, retry or cancel it */
            waiting: components["schemas"]["Waiting"] | null;
            /** @description 1, and one more for each reopening */
            run: number;
            /** @description that of the call in flight, or that made the result: one of `fallback_models` where those before failed */
            model: string;
            fallback_models?: string[];
            /**
             * @description an input whose JSON is over 32 KiB is shown by `GET /v1/jobs/{id}` alone
             * @constant
             */
            input_truncated?: true;
            /**
             * @description of an image
             * @enum {string}
             */
            via?: "generate" | "generations";
            /**
             * @description of an image
             * @enum {string}
             */
            resubmit_failed?: "auto" | "never" | "always";
            metadata: {
                [key: string]: string;
            };
            /** @enum {string} */
            priority: "low" | "normal" | "high";
            /** @enum {string} */
            on_unknown_submit: "fail" | "resubmit";
            max_attempts: number;
            /** @description never falls within a run */
            progress: number;
            /** @description why it failed, or expired */
            error: components["schemas"]["JobError"] | null;
            /** @description null: no price of its model is known */
            cost: components["schemas"]["Cost"] | null;
            /** @description the task id is a secret: whoever has it can read the result */
            upstream: {
                base: string | null;
                task_id: string;
                submitted_at: string | null;
                polls: number;
                last_polled_at: string | null;
            } | null;
            webhook: {
                url: string | null;
                events: string[];
                /** @enum {string} */
                state: "none" | "pending" | "delivered" | "failed";
                last_delivery_id: string | null;
            };
            batch_id: string | null;
            custom_id: string | null;
            /** @description the result came after the run had been given up */
            late_result: boolean;
            created_at: string | null;
            started_at: string | null;
            finished_at: string | null;
            expires_at: string | null;
            links: {
                [key: string]: string;
            };
            /** @description only in the answer to `POST /v1/jobs`: what was accepted and may come to nothing */
            warnings?: components["schemas"]["Warning"][];
            /**
             * @description the whole would be over 20 KiB: read the job
             * @constant
             */
            thin: true;
        };
        ThinnestJob: {
            /** @example job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D */
            id: string;
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "canceling" | "canceled" | "expired";
            /** @description 1, and one more for each reopening */
            run: number;
            links: {
                [key: string]: string;
            };
            /**
             * @description the whole would be over 20 KiB: read the job
             * @constant
             */
            thin: true;
        };
        /** @description In credits of the upstream account */
        Usage: {
            /** @constant */
            object: "usage";
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
            data: components["schemas"]["UsageRow"][];
        };
        UsageRow: {
            /** @description UTC, on which the calls began; null: not grouped by */
            day: string | null;
            model: string | null;
            /** @description id of the API key that sent the jobs */
            key: string | null;
            /** @description whose first paid call began */
            jobs: number;
            /** @description charged */
            credits: number;
            /** @description set aside for what is in flight, and for calls of which nobody knows whether they were charged */
            reserved: number;
            refunded: number;
            prompt_tokens: number;
            completion_tokens: number;
        };
        Waiting: {
            /**
             * @description `turn`: others come first, and a call can begin; `tenant_limit`, `account_limit`: the tenant, or the account, has no room for another call of it now; `rate_limit`: the calls of this minute are used up; `budget`: its price does not fit into the budget of the tenant; `backoff`: its last attempt failed, and the next one has a time; `no_caller`: its caller at `/openai/v1` has left and may come back; `paused:…`: its queue or its model is paused, or (`suspect`) it may have been paid for and waits for a decision
             * @enum {string}
             */
            reason: "turn" | "tenant_limit" | "account_limit" | "rate_limit" | "budget" | "backoff" | "no_caller" | "paused:suspect" | "paused:operator" | "paused:auth" | "paused:balance" | "paused:storage" | "paused:upstream" | "paused:upstream_rate_limit" | "paused:upstream_refusal";
            /** Format: date-time */
            since: string;
            /** @description from 1, among the queued jobs of its tenant that make the same kind of call; null: it waits for a time of its own */
            position: number | null;
        };
        Warning: {
            /** @description a JSON pointer into the request, or into its line */
            pointer: string;
            /**
             * @description `unknown_value`: it is passed on though nobody here knows it; the others: the model takes no calls at this time
             * @enum {string}
             */
            code: "unknown_value" | "model_closed" | "model_maintenance";
            message: string;
        };
        WebhookDelivery: {
            /**
             * @description the `webhook-id` of each attempt, and the `id` of the body
             * @example evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_1_job_succeeded
             */
            id: string;
            /** @constant */
            object: "webhook_delivery";
            job_id?: string;
            /** @description in place of job_id, for events of a batch */
            batch_id?: string;
            /** @description the run of the job, or the round of the batch, that it reports */
            run: number;
            /** @enum {string} */
            type: "job.succeeded" | "job.failed" | "job.canceled" | "job.expired" | "job.started" | "job.progress" | "batch.completed" | "batch.canceled" | "batch.expired";
            url: string;
            /**
             * @description `skipped`: nothing was sent, as the endpoint was disabled, or in trouble when a progress webhook of a live job came
             * @enum {string}
             */
            state: "pending" | "delivered" | "failed" | "skipped";
            /** @description attempts made so far */
            tries: number;
            /** @description the newest 20 attempts */
            attempts: {
                number: number;
                /** Format: date-time */
                at: string;
                duration_ms: number;
                ok: boolean;
                /** @description how far it came: dns, connect, tls, write or response */
                phase: string;
                status?: number;
                error?: string;
                /** @description up to 2 KiB of what the receiver answered; not in lists */
                answer?: string;
            }[];
            next_attempt_at: string | null;
            /** Format: date-time */
            created_at: string;
            links: {
                [key: string]: string;
            };
        };
        /** @description The body of a webhook, by its `type` */
        WebhookEvent: components["schemas"]["JobSucceededEvent"] | components["schemas"]["JobFailedEvent"] | components["schemas"]["JobCanceledEvent"] | components["schemas"]["JobExpiredEvent"] | components["schemas"]["JobStartedEvent"] | components["schemas"]["JobProgressEvent"] | components["schemas"]["BatchCompletedEvent"] | components["schemas"]["BatchCanceledEvent"] | components["schemas"]["BatchExpiredEvent"];
        WebhookRecovery: {
            /** @constant */
            object: "webhook_recovery";
            url: string;
            /** Format: date-time */
            since: string;
            links: {
                /** @description what is still failed or skipped of this endpoint */
                remaining: string;
            };
        };
        WebhookSecret: {
            /** @constant */
            object: "webhook_secret";
            /**
             * @description a name for the secret that is no secret
             * @example whk_3f0c9d1e8b7a6542
             */
            id: string;
            /** @description a Standard Webhooks secret: whsec_… */
            secret: string;
            /** @description secrets of before that still sign */
            older: {
                id: string;
                /** Format: date-time */
                expires_at: string;
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
