// How types, categories and keys are called in forms for people. (conductor-integrations.md 3.4, 8)
#pragma once

#include <string_view>

namespace openindex::providers::catalog {

struct TypeLabel {
  std::string_view type;
  std::string_view label;
  std::string_view description;
  std::string_view icon;  ///< As the product's pages call it; empty: as the type.
};

inline constexpr TypeLabel type_labels[] = {
    {"amqp", "AMQP", "Messages through an AMQP 0-9-1 broker, such as RabbitMQ", {}},
    {"anthropic", "Anthropic", "Claude models of Anthropic", {}},
    {"aws", "Amazon Web Services", "Credentials for services of AWS", {}},
    {"aws_bedrock_anthropic", "AWS Bedrock Anthropic", "Claude models through AWS Bedrock", "aws"},
    {"aws_bedrock_cohere", "AWS Bedrock Cohere", "Cohere's models through AWS Bedrock", "aws"},
    {"aws_bedrock_titan", "AWS Bedrock Titan", "Amazon's models through AWS Bedrock", "aws"},
    {"aws_sqs", "Amazon SQS", "Messages through queues of AWS", "aws"},
    {"azure_openai", "Azure OpenAI", "OpenAI's models as deployments on Azure", "azureOpenAI"},
    {"azure_service_bus", "Azure Service Bus", "Messages through a namespace of Azure Service Bus", {}},
    {"cohere", "Cohere", "Command models of Cohere", {}},
    {"gcp", "Google Cloud", "Credentials for services of Google Cloud", {}},
    {"gcp_pubsub", "Google Cloud Pub/Sub", "Messages through topics of Google Cloud", {}},
    {"git", "Git", "Repositories of GitHub, GitLab or another host", {}},
    {"google_gemini", "Google Gemini", "Gemini models with a key of Google AI", {}},
    {"grok", "Grok", "Grok models of xAI", {}},
    {"huggingface", "Hugging Face", "Models behind the router of Hugging Face", "huggingFace"},
    {"ibm_mq", "IBM MQ", "Messages through a queue manager of IBM MQ", {}},
    {"kafka", "Apache Kafka", "Messages through topics of Kafka", {}},
    {"mistral", "Mistral", "Models of Mistral AI", {}},
    {"mongovectordb", "MongoDB", "Vectors in collections of MongoDB", "mongovector"},
    {"nats", "NATS", "Messages through NATS or JetStream", {}},
    {"ollama", "Ollama", "Models on a server of Ollama's", {}},
    {"openai", "OpenAI", "GPT models of OpenAI, or a compatible server", "openAI"},
    {"perplexity", "Perplexity", "Sonar models of Perplexity", {}},
    {"pgvectordb", "PostgreSQL pgvector", "Vectors in a PostgreSQL database", "pgvector"},
    {"pineconedb", "Pinecone", "Vectors in indexes of Pinecone", "pinecone"},
    {"relational_db", "Relational database", "Tables behind a JDBC address", {}},
    {"sendgrid", "SendGrid", "E-mail through SendGrid", {}},
    {"vertex_ai", "Vertex AI", "Models on Google Cloud's Vertex AI", "vertexAI"},
    {"vertex_ai_gemini", "Vertex AI Gemini", "Gemini models on Google Cloud's Vertex AI", "vertexAI"},
    {"weaviatedb", "Weaviate", "Vectors in classes of Weaviate", "weaviate"},
};

struct Label {
  std::string_view name;
  std::string_view label;
};

inline constexpr Label category_labels[] = {
    {"AI_MODEL", "AI models"},
    {"VECTOR_DB", "Vector databases"},
    {"RELATIONAL_DB", "Relational databases"},
    {"MESSAGE_BROKER", "Brokers"},
    {"CLOUD", "Clouds"},
    {"GIT", "Git repositories"},
    {"EMAIL", "E-mail"},
    {"API", "Apps"},
    {"MCP", "MCP servers"},
    {"EVENT_SOURCE", "Event sources"},
};

// A key that is not here is called by its words: `schemaRegistryUrl` is `Schema registry url`.
inline constexpr Label key_labels[] = {
    {"api_key", "API key"},
    {"awsAccountId", "AWS account ID"},
    {"completionsPath", "Path of completions"},
    {"betaVersion", "Beta version"},
    {"cipherSuite", "Cipher suite"},
    {"datasourceURL", "Data source URL (JDBC)"},
    {"distance_metric", "Distance metric"},
    {"environment", "Environment or region"},
    {"externalId", "External ID"},
    {"groupId", "Consumer group ID"},
    {"header", "Header that carries the key"},
    {"jdbcDriver", "JDBC driver"},
    {"keyStorePassword", "Key store password"},
    {"organizationId", "Organization ID"},
    {"projectName", "Project ID"},
    {"pubSubMethod", "Publish and subscribe by"},
    {"roleArn", "Role ARN"},
    {"schemaRegistryApiKey", "Schema registry API key"},
    {"schemaRegistryApiSecret", "Schema registry API secret"},
    {"schemaRegistryUrl", "Schema registry URL"},
    {"tls", "TLS"},
    {"tlsFile", "TLS file"},
};

}  // namespace openindex::providers::catalog
