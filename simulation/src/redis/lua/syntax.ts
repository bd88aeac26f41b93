/** The tree of a Lua 5.1 script. */
export type Expression =
  | { readonly type: 'nil' | 'varargs' }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'name'; readonly name: string }
  /** Of several values the first. */
  | { readonly type: 'one'; readonly of: Expression }
  | { readonly type: 'unary'; readonly operator: string; readonly of: Expression }
  | { readonly type: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly type: 'logical'; readonly operator: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | Index
  | Call
  | LuaFunctionBody
  | { readonly type: 'table'; readonly fields: readonly TableField[] };

/** `base[key]`; `base.name` has a string as its key. */
export interface Index {
  readonly type: 'index';
  readonly base: Expression;
  readonly key: Expression;
}

export interface Call {
  readonly type: 'call';
  readonly callee: Expression;
  readonly args: readonly Expression[];
}

export interface LuaFunctionBody {
  readonly type: 'function';
  readonly parameters: readonly string[];
  readonly varargs: boolean;
  readonly body: Block;
}

/** Without a key it is the next item of the list. */
export interface TableField {
  readonly key: Expression | null;
  readonly value: Expression;
}

export type Block = readonly Statement[];

export type Statement =
  | { readonly type: 'local'; readonly names: readonly string[]; readonly values: readonly Expression[] }
  | { readonly type: 'localFunction'; readonly name: string; readonly value: LuaFunctionBody }
  | Assignment
  | { readonly type: 'do' | 'break'; readonly body: Block }
  | { readonly type: 'call'; readonly call: Call }
  | { readonly type: 'return'; readonly values: readonly Expression[] }
  | { readonly type: 'if'; readonly clauses: readonly { readonly test: Expression | null; readonly body: Block }[] }
  | { readonly type: 'while' | 'repeat'; readonly test: Expression; readonly body: Block }
  | NumericFor
  | GenericFor;

export interface Assignment {
  readonly type: 'assignment';
  readonly targets: readonly (Index | { readonly type: 'name'; readonly name: string })[];
  readonly values: readonly Expression[];
}

export interface NumericFor {
  readonly type: 'for';
  readonly name: string;
  readonly from: Expression;
  readonly to: Expression;
  readonly step: Expression | null;
  readonly body: Block;
}

export interface GenericFor {
  readonly type: 'forIn';
  readonly names: readonly string[];
  readonly iterators: readonly Expression[];
  readonly body: Block;
}
