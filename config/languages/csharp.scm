(class_declaration name: (identifier) @name) @definition.class
(struct_declaration name: (identifier) @name) @definition.type
(record_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.type
(delegate_declaration name: (identifier) @name) @definition.type
(namespace_declaration name: (_) @name) @definition.module
(method_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.method
(property_declaration name: (identifier) @name) @definition.constant
(local_function_statement name: (identifier) @name) @definition.function
(invocation_expression function: (identifier) @reference.call)
(invocation_expression function: (member_access_expression name: (identifier) @reference.method))
(object_creation_expression type: (identifier) @reference.call)
(base_list (identifier) @reference.type)
(using_directive (_) @import)
