(method name: (_) @name) @definition.method
(singleton_method name: (_) @name) @definition.method
(class name: (constant) @name) @definition.class
(class name: (scope_resolution name: (constant) @name)) @definition.class
(module name: (constant) @name) @definition.module
(module name: (scope_resolution name: (constant) @name)) @definition.module
(assignment left: (constant) @name) @definition.constant
(call !receiver method: (identifier) @reference.call)
(call receiver: (_) method: (identifier) @reference.method)
(superclass (constant) @reference.type)
(call method: (identifier) @_require arguments: (argument_list (string) @import) (#match? @_require "^(require|require_relative|load)$"))
