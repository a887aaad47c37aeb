(class_declaration name: (identifier) @name) @definition.class
(struct_declaration name: (identifier) @name) @definition.type
(record_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.type
(delegate_declaration name: (identifier) @name) @definition.type
(namespace_declaration name: (_) @name) @definition.module
(file_scoped_namespace_declaration name: (_) @name) @definition.module
(method_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.method
(property_declaration name: (identifier) @name) @definition.constant
(field_declaration (modifier) (variable_declaration (variable_declarator name: (identifier) @name))) @definition.constant
(local_function_statement name: (identifier) @name) @definition.function
(invocation_expression function: (identifier) @reference.call)
(invocation_expression function: (generic_name (identifier) @reference.call))
(invocation_expression function: (member_access_expression name: (identifier) @reference.method))
(invocation_expression function: (member_access_expression name: (generic_name (identifier) @reference.method)))
(invocation_expression function: (conditional_access_expression (member_binding_expression name: (identifier) @reference.method)))
(object_creation_expression type: (identifier) @reference.call)
(object_creation_expression type: (generic_name (identifier) @reference.call))
(object_creation_expression type: (qualified_name name: (identifier) @reference.call))
(base_list (identifier) @reference.type)
(base_list (generic_name (identifier) @reference.type))
(parameter type: (identifier) @reference.type)
(variable_declaration type: (identifier) @reference.type)
(property_declaration type: (identifier) @reference.type)
(method_declaration returns: (identifier) @reference.type)
(type_argument_list (identifier) @reference.type)
(using_directive) @import
